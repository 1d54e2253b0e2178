"""Two studies of one patient: the same nodules found again, and what has become of them."""

from nodule.followup.compare import Change, Comparison, Lone, compare_exams
from nodule.followup.exam_pair import days_between, refuse_same
from nodule.followup.lung_map import LungMap
from nodule.followup.match import Matching, Pair, assign, match_findings
from nodule.followup.precision import volume_error_share
from nodule.followup.register import Effort, register_lungs

__all__ = [
    "Change",
    "Comparison",
    "Effort",
    "Lone",
    "LungMap",
    "Matching",
    "Pair",
    "assign",
    "compare_exams",
    "days_between",
    "match_findings",
    "refuse_same",
    "register_lungs",
    "volume_error_share",
]
