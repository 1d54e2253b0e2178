"""What networks are trained on: one of each thing, for all networks. See the README beside this."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
    from nodule.training._intensity import ScannerRanges, draw_scanner
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

_HOMES = {
    "AERATED_BELOW_HU": "_copy_paste",
    "Annotation": "_annotated_scan",
    "CropSlices": "_nodule_stack",
    "CropSet": "_crop_set",
    "Fold": "_held_out_folds",
    "HELD_OUT_PATIENTS": "_held_out_folds",
    "Image": "_copy_paste",
    "Kind": "_nodule_record",
    "Lesion": "_region",
    "LidcCollection": "_collection",
    "Luna16Collection": "_collection",
    "LungField": "_lung_field",
    "MARGIN_MM": "_nodule_stack",
    "NoduleCrop": "_packed_crop",
    "NoduleRecord": "_nodule_record",
    "NoduleStack": "_nodule_stack",
    "Outline": "_copy_paste",
    "PackedCrop": "_packed_crop",
    "Piece": "_copy_paste",
    "PoseRanges": "_pose",
    "Region": "_region",
    "STRAIGHT": "_pose",
    "SamplePose": "_pose",
    "ScanDetection": "_hard_negatives",
    "ScannerRanges": "_intensity",
    "ShapeDistance": "_copy_paste",
    "annotations_in": "_annotated_scan",
    "decode_hu": "_packed_crop",
    "distinct": "_crop_set",
    "draw_pose": "_pose",
    "draw_scanner": "_intensity",
    "feathered_blend": "_copy_paste",
    "index_mm": "_region",
    "load_scans": "_scan_store",
    "match_air": "_copy_paste",
    "mismatch_hu": "_copy_paste",
    "read_annotated_scan": "_annotated_scan",
    "read_detections": "_hard_negatives",
    "read_study": "_annotated_scan",
    "replace_series": "_crop_set_writing",
    "scans_of_other_folds": "_held_out_folds",
    "synthetic_parenchyma": "_copy_paste",
    "write_detections": "_hard_negatives",
    "write_table": "_crop_set_writing",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
