"""What is asked of a run: one object for all commands that look for nodules."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nodule.dicom.options import DicomExtra, DicomOptions
from nodule.errors import UsageError
from nodule.installed import installed_packages
from pipelines.cache import Cache
from pipelines.config import load_stages, shipped_config
from pipelines.flows import detect_stage_types

if TYPE_CHECKING:
    from nodule.advice.context import Context
    from nodule.chain import Chain
    from nodule.guidelines.facts import Setting
    from nodule.inference import Device, Engine
    from nodule.pseudonyms import Pseudonyms
    from nodule.saliency import Answer

NameBy = Literal["folder", "uid"]


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """Studies, what is known besides their images, what to write, and how to compute it.

    Parameters
    ----------
    studies : at least one path or address of what :func:`nodule.ct.inventory` takes, see
        :class:`pipelines.places.StudyPlace`.
    series_uid : the series to read of the one study; None for the best.
    prior : an earlier study of the same patient, with which the one study is compared.
    prior_series_uid : the series to read of the prior study; None for the best.
    setting : why nodules are looked for; without it no rule is asked.
    person : TOML file that states facts about the person, see :func:`read_context`.
    indication : as the referrer words it.
    dicom : whether to write DICOM SR and SEG too, for which the input must be DICOM.
    dicom_with : what these hold besides, as :class:`nodule.dicom.DicomOptions`; asks for them.
    fhir : whether to write a FHIR bundle too.
    pdf : whether to print the page too, for which there must be a Chromium.
    saliency : the answer of the networks whose cause is shown on the page; None for none.
    name_by : what a study's folder of results is called after: the input's own name, or a pseudonym
        of its SeriesInstanceUID, see :func:`pipelines.process.result_name`.
    deidentify : whether to write everything without identifiers, the folder's name included.
    pseudonym_key : file of the key for that; None for the user's own, see :func:`pseudonyms_of`.
    viewer : whether to put the slice viewer, and so a small copy of the volume, into the page.
    fp_per_scan : false positives per scan of the operating point.
    threshold : lowest probability of a finding, in place of ``fp_per_scan``.
    config : TOML file of the stages; None for the shipped one.
    cache : folder in which the stages' outputs are kept; None for the user's cache folder.
    device : where the networks run.
    engine : what runs them.

    Raises
    ------
    UsageError : ``NO_STUDY``; ``ONE_STUDY`` where something that holds for one study only is
        given with several; ``NO_PRIOR`` for a series of no prior study.
    """

    studies: tuple[str | Path, ...]
    series_uid: str | None = None
    prior: Path | None = None
    prior_series_uid: str | None = None
    setting: Setting | None = None
    person: Path | None = None
    indication: str | None = None
    dicom: bool = False
    dicom_with: tuple[DicomExtra, ...] = ()
    fhir: bool = False
    pdf: bool = False
    saliency: Answer | None = None
    name_by: NameBy = "folder"
    deidentify: bool = False
    pseudonym_key: Path | None = None
    viewer: bool = True
    fp_per_scan: float | None = None
    threshold: float | None = None
    config: Path | None = None
    cache: Path | None = None
    device: Device = "auto"
    engine: Engine = "auto"

    def __post_init__(self) -> None:
        if not self.studies:
            raise UsageError("no study is given", code="NO_STUDY", expected="at least one")
        self._refuse_for_many()
        if self.prior_series_uid is not None and self.prior is None:
            raise UsageError(
                "a series of the prior study is given without that study",
                code="NO_PRIOR",
                hint="Give --prior as well.",
            )

    def _refuse_for_many(self) -> None:
        of_one = {"--series": self.series_uid, "--prior": self.prior, "--person": self.person}
        given = [option for option, value in of_one.items() if value is not None]
        if given and len(self.studies) > 1:
            raise UsageError(
                f"{' and '.join(given)} cannot hold for several studies",
                code="ONE_STUDY",
                expected="one study",
                got=len(self.studies),
                hint="Run each study with a command of its own.",
            )

    def check(self) -> None:
        """Read everything but the studies, so that a fault in it is found before the first one.

        Raises
        ------
        NoduleError : as :attr:`chain`, :attr:`context` and :attr:`pseudonyms` raise it, and as
            :func:`nodule.inference.choose_compute`.
        """
        from nodule.inference import choose_compute

        _ = self.context, self.pseudonyms
        for stage in self.chain.stages.values():
            if hasattr(stage, "engine"):
                choose_compute(engine=stage.engine, device=stage.device)

    @cached_property
    def chain(self) -> Chain:
        """The stages, built once; raises as `load_stages` and :meth:`Chain.at_operating_point`."""
        from nodule.chain import Chain

        path = self.config or shipped_config("detect.toml")
        stages: dict[str, Any] = load_stages(path, detect_stage_types())
        chain = Chain(**stages)
        asked = {"device": self.device, "engine": self.engine}
        chain = chain.computed_by(**{name: each for name, each in asked.items() if each != "auto"})
        return chain.at_operating_point(fp_per_scan=self.fp_per_scan, threshold=self.threshold)

    @property
    def chain_wanted(self) -> Chain:
        """The chain, with a stage that explains the answer where saliency is wanted."""
        return self.chain if self.saliency is None else self.chain.explaining(self.saliency)

    @cached_property
    def dicom_wanted(self) -> DicomOptions | None:
        """What DICOM files are asked for, None for none."""
        if not self.dicom and not self.dicom_with:
            return None

        return DicomOptions(**{each.name: True for each in self.dicom_with})

    @cached_property
    def store(self) -> Cache:
        """The cache of the stages' outputs."""
        return Cache(cache_folder(self.cache), packages=installed_packages())

    @cached_property
    def pseudonyms(self) -> Pseudonyms | None:
        """What replaces identifiers, None where they stay; raises as :func:`pseudonyms_of`."""
        return pseudonyms_of(self.pseudonym_key) if self.deidentify else None

    @cached_property
    def context(self) -> Context:
        """What is stated besides the images; raises as `read_context`."""
        from nodule.advice.context import read_context

        return read_context(self.person, setting=self.setting, indication=self.indication)


def cache_folder(given: Path | None) -> Path:
    """Return the folder that was asked for, or the platform's own for this user."""
    from platformdirs import user_cache_path

    return given or user_cache_path("nodule")


def pseudonyms_of(key: Path | None) -> Pseudonyms:
    """Return the pseudonyms of a key: that in a file, or the user's own, drawn at its first use.

    Raises
    ------
    InputError, OSError : as :func:`nodule.pseudonyms.read_or_make_key`.
    """
    from platformdirs import user_data_path

    from nodule.pseudonyms import read_key, read_or_make_key

    if key is not None:
        return read_key(key)
    return read_or_make_key(user_data_path("nodule") / "pseudonym.key")
