"""What somebody states about the person and the exam, for the rules that images cannot answer.

Nothing here is looked at by a stage that reads images, and nothing is guessed: what nobody stated
is null, and the report names it as missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from nodule.errors import InputError
from nodule.guidelines.facts import BenignFeature, Setting
from nodule.guidelines.lung_rads.table import Category, Version
from nodule.guidelines.lung_rads.whole_exam import ReaderStatement
from nodule.guidelines.risk import Uptake
from nodule.input_files import parse_toml, read_given_file

Lobe = Literal["RUL", "RML", "RLL", "LUL", "LLL"]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Age = Annotated[int, Field(ge=0, le=130)]
FindingId = Annotated[str, StringConstraints(pattern="^[NR][1-9][0-9]*$")]


class _Stated(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FindingFacts(_Stated):
    """What a reader states about one finding, which is not measured.

    Parameters
    ----------
    lobe : right upper, middle, lower; left upper, lower.
    spiculation : spikes at its margin.
    benign_feature : as :class:`nodule.guidelines.NoduleFacts`.
    pleural_based : sits broadly on the pleura.
    pet_uptake : on FDG-PET, as :func:`nodule.guidelines.risk.herder`.
    earlier_category : Lung-RADS category that the earlier exam gave it.
    """

    lobe: Lobe | None = None
    spiculation: bool | None = None
    benign_feature: BenignFeature | None = None
    pleural_based: bool | None = None
    pet_uptake: Uptake | None = None
    earlier_category: Category | None = None


class Context(_Stated):
    """What is known of the person and the exam besides the images; null is not stated.

    Parameters
    ----------
    setting : why nodules are looked for.
    indication : as the referrer words it.
    age_years, sex : override the DICOM header's.
    smoking : ever.
    risk : of cancer as the clinician estimates it; low is below 5 % (ACCP).
    risk_factors : in words, printed as stated; no rule reads them.
    known_cancer : active, under surveillance or able to have spread.
    prior_lung_cancer, cancer_within_5_years, extrathoracic_cancer_over_5_years_ago : history.
    immunosuppressed : by disease or treatment.
    family_history : of lung cancer.
    emphysema : seen on the CT.
    lung_rads : the edition to use.
    reader : what the reader decides of the exam, null where no reader has.
    findings : by finding's id, as the report names it.
    """

    setting: Setting | None = None
    indication: Text | None = None
    age_years: Age | None = None
    sex: Literal["female", "male"] | None = None
    smoking: Literal["never", "former", "current"] | None = None
    risk: Literal["low", "high"] | None = None
    risk_factors: tuple[Text, ...] = ()
    known_cancer: bool | None = None
    prior_lung_cancer: bool | None = None
    cancer_within_5_years: bool | None = None
    extrathoracic_cancer_over_5_years_ago: bool | None = None
    immunosuppressed: bool | None = None
    family_history: bool | None = None
    emphysema: bool | None = None
    lung_rads: Version = "v2022"
    reader: ReaderStatement | None = None
    findings: dict[FindingId, FindingFacts] = Field(default_factory=dict)

    def of(self, finding_id: str) -> FindingFacts:
        """Return what somebody stated of a finding."""
        return self.findings.get(finding_id, FindingFacts())


def read_context(
    path: Path | None = None,
    *,
    setting: Setting | None = None,
    indication: str | None = None,
) -> Context:
    """Read a person file, and put over it what is given beside it.

    Parameters
    ----------
    path : TOML whose keys are the fields of :class:`Context`, with a table
        ``[findings.N1]`` for each finding of which something is stated, and a table ``[reader]``
        for what the reader decides; None for none.
    setting, indication : replace the file's where given.

    Raises
    ------
    InputError : ``BAD_PERSON_FILE``; its message repeats no value, which may name a patient. Or as
        :func:`nodule.input_files.read_given_file`.
    """
    stated = {} if path is None else _toml(path)
    over = {"setting": setting, "indication": indication}
    stated |= {name: value for name, value in over.items() if value is not None}
    try:
        return Context.model_validate(stated)
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise _refused(path, f"{place}: {first['msg']}") from None


def _toml(path: Path) -> dict[str, object]:
    try:
        return parse_toml(read_given_file(path))
    except FileNotFoundError:
        raise _refused(path, "there is no such file") from None
    except ValueError:
        raise _refused(path, "it is not valid TOML") from None


def _refused(path: Path | None, why: str) -> InputError:
    return InputError(
        f"{path.name if path else 'what is stated about the person'} cannot be read: {why}",
        code="BAD_PERSON_FILE",
        expected=f"keys among {', '.join(Context.model_fields)}",
        hint="Leave out what is not known.",
    )
