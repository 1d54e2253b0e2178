"""What networks are trained on: one of each thing, for all networks. See the README beside this."""

from nodule.training._annotated_scan import (
    Annotation,
    annotations_in,
    read_annotated_scan,
    read_study,
)
from nodule.training._collection import LidcCollection, Luna16Collection
from nodule.training._copy_paste import (
    AERATED_BELOW_HU,
    Image,
    Outline,
    Piece,
    ShapeDistance,
    feathered_blend,
    match_air,
    mismatch_hu,
    synthetic_parenchyma,
)
from nodule.training._crop_set import CropSet, distinct
from nodule.training._crop_set_writing import replace_series, write_table
from nodule.training._hard_negatives import ScanDetection, read_detections, write_detections
from nodule.training._held_out_folds import HELD_OUT_PATIENTS, Fold, scans_of_other_folds
from nodule.training._intensity import Scanner, ScannerRanges, draw_scanner
from nodule.training._lung_field import LungField
from nodule.training._nodule_record import Kind, NoduleRecord
from nodule.training._nodule_stack import MARGIN_MM, CropSlices, NoduleStack
from nodule.training._packed_crop import NoduleCrop, PackedCrop, decode_hu
from nodule.training._pose import STRAIGHT, PoseRanges, SamplePose, draw_pose
from nodule.training._region import Lesion, Region, index_mm
from nodule.training._scan_store import load_scans

__all__ = [
    "AERATED_BELOW_HU",
    "HELD_OUT_PATIENTS",
    "MARGIN_MM",
    "STRAIGHT",
    "Annotation",
    "CropSet",
    "CropSlices",
    "Fold",
    "Image",
    "Kind",
    "Lesion",
    "LidcCollection",
    "Luna16Collection",
    "LungField",
    "NoduleCrop",
    "NoduleRecord",
    "NoduleStack",
    "Outline",
    "PackedCrop",
    "Piece",
    "PoseRanges",
    "Region",
    "SamplePose",
    "ScanDetection",
    "Scanner",
    "ScannerRanges",
    "ShapeDistance",
    "annotations_in",
    "decode_hu",
    "distinct",
    "draw_pose",
    "draw_scanner",
    "feathered_blend",
    "index_mm",
    "load_scans",
    "match_air",
    "mismatch_hu",
    "read_annotated_scan",
    "read_detections",
    "read_study",
    "replace_series",
    "scans_of_other_folds",
    "synthetic_parenchyma",
    "write_detections",
    "write_table",
]
