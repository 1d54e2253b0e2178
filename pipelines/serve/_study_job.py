"""What is done with a study that has come, in a process of its own."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nodule.ct import inventory
from nodule.errors import NoduleError
from nodule.guidelines.facts import Setting
from pipelines.batch import Failure, StudyDone, failure_of, work_on
from pipelines.pacs import DicomWeb
from pipelines.places import StudyPlace, fetched
from pipelines.request import RunRequest
from pipelines.serve._priors import fetch_prior

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class StudyJob:
    """Writes the results of a study, compared with an earlier one where there is one.

    Parameters
    ----------
    out : folder of the results.
    config, cache : as of a `RunRequest`.
    setting, pdf : likewise.
    priors : asked for an earlier study; None to compare nothing.
    """

    out: Path
    config: Path | None
    cache: Path
    setting: Setting | None
    pdf: bool
    priors: DicomWeb | None

    def __call__(self, place: StudyPlace) -> StudyDone | Failure:
        """Do it; what fails the study is returned."""
        try:
            with fetched(place) as study, self._prior_of(study) as prior:
                request = RunRequest(
                    studies=(study,),
                    prior=prior,
                    setting=self.setting,
                    dicom=True,
                    pdf=self.pdf,
                    name_by="uid",
                    config=self.config,
                    cache=self.cache,
                )
                return work_on(StudyPlace(location=str(study)), request=request, out=self.out)
        except Exception as error:
            return failure_of(place.location, error)

    @contextmanager
    def _prior_of(self, study: Path) -> Iterator[Path | None]:
        if self.priors is None or not study.is_dir():
            yield None
            return
        with tempfile.TemporaryDirectory(prefix="nodule-prior-") as folder:
            yield _readable(fetch_prior(study, self.priors, Path(folder) / "prior"))


def _readable(prior: Path | None) -> Path | None:
    """Return the prior study if it can be read; one that cannot does not stop the current one."""
    if prior is None:
        return None
    try:
        inventory(prior).choose()
    except NoduleError as error:
        _log.warning("the prior study cannot be compared: %s", error.code)
        return None
    return prior
