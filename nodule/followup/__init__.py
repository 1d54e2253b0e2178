"""Two studies of one patient: the same nodules found again, and what has become of them."""

from nodule.followup._comparison import (
    Change,
    Comparison,
    ExamIdentity,
    Registration,
    Unmatched,
    compare_exams,
    volumetry,
)
from nodule.followup._exam_pair import days_between, lungs_cut, refuse_same
from nodule.followup._lung_map import LungMap
from nodule.followup._match import Matching, Pair, assign, match_findings
from nodule.followup._register import Effort, register_lungs

__all__ = [
    "Change",
    "Comparison",
    "Effort",
    "ExamIdentity",
    "LungMap",
    "Matching",
    "Pair",
    "Registration",
    "Unmatched",
    "assign",
    "compare_exams",
    "days_between",
    "lungs_cut",
    "match_findings",
    "refuse_same",
    "register_lungs",
    "volumetry",
]
