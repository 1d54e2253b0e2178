"""Nodules and lungs as a DICOM Segmentation on the source series' grid."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import highdicom as hd
import numpy as np
from highdicom.color import CIELabColor
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentDescription
from highdicom.sr import CodedConcept
from numpy.typing import NDArray
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian
from scipy import ndimage

from nodule.dicom import codes as code
from nodule.dicom._instance import (
    constructor_arguments,
    settle,
    weights_parameters,
)
from nodule.dicom.dates import writing_time
from nodule.dicom.document_state import DocumentState
from nodule.dicom.source import plane_order, quiet_dicom, source_headers, source_stack
from nodule.dicom.tracking import tracking_uids
from nodule.errors import InputError
from nodule.geometry import Geometry
from nodule.pseudonyms import Pseudonyms
from nodule.report.software import PRODUCT, software_version
from nodule.volume import LungMask

if TYPE_CHECKING:
    from nodule.ct import SeriesSource
    from nodule.masks import NoduleMask
    from nodule.report.model import Provenance, Report
    from nodule.report.reported_nodule import ReportedNodule

SERIES_NUMBER = 9701
_LUNGS = MappingProxyType({"right": LungMask.RIGHT, "left": LungMask.LEFT})
_NODULE_COLORS = (  # CIELab of yellow, green, cyan, magenta, orange and pink: none is a grey
    *((85.0, 0.0, 80.0), (75.0, -60.0, 60.0), (85.0, -45.0, -15.0)),
    *((60.0, 90.0, -55.0), (70.0, 40.0, 70.0), (75.0, 45.0, 0.0)),
)
_LUNG_COLOR = (70.0, -5.0, -35.0)  # a pale blue

Masks = NDArray[np.uint8]


def build_segmentation(
    report: Report,
    *,
    masks: Mapping[str, NoduleMask],
    lungs: LungMask | None,
    source: SeriesSource,
    pseudonyms: Pseudonyms | None = None,
    deflated: bool = False,
    earlier: Path | None = None,
    made_at: datetime | None = None,
) -> Segmentation:
    """Return a binary Segmentation: one segment a nodule, then the right and the left lung.

    Equal input, time included, gives equal bytes.

    Parameters
    ----------
    report : what stands, added nodules included; their ids, places and provenance are taken over.
    masks : by finding's id, each on a part of the source's grid; a finding without one has no
        segment.
    lungs : on any grid in the same frame; a lung without a voxel has no segment. None for nodules
        alone.
    source : the series that was read.
    pseudonyms : with which the report was deidentified; None where it was not.
    deflated : whether to compress the file, without loss, by a transfer syntax that not every
        receiver takes.
    earlier : as :func:`nodule.dicom._instance.settle`.
    made_at : when it is written; None for now.

    Raises
    ------
    InputError : ``NO_DICOM_SOURCE``; ``NOTHING_SEGMENTED`` when no segment would remain;
        ``MASK_OUTSIDE_GRID`` for a mask of another grid; ``UNKNOWN_FINDING`` for one of no
        finding.
    DicomSeriesError : as :func:`nodule.dicom.source.source_headers`.
    UsageError : as :func:`nodule.dicom.dates.writing_time`.
    """
    headers = source_headers(source, pseudonyms=pseudonyms)
    grid = source_stack(source).geometry
    on_grid = None if lungs is None else lungs_on(grid, lungs)
    sides = [] if on_grid is None else [s for s, n in _LUNGS.items() if (on_grid == n).any()]
    findings = _with_masks(report, masks)
    if not findings and not sides:
        raise InputError("there is nothing to segment", code="NOTHING_SEGMENTED")
    stack = np.zeros((len(findings) + len(sides), *grid.shape_zyx), np.uint8)
    for segment, finding in zip(stack, findings, strict=False):
        _place(segment, masks[finding.nodule.id], grid)
    for segment, side in zip(stack[len(findings) :], sides, strict=True):
        segment[on_grid == _LUNGS[side]] = 1
    state = DocumentState.of(report)
    with quiet_dicom():
        segmentation = Segmentation(
            source_images=headers,
            pixel_array=_in_file_order(stack, source),
            segmentation_type="BINARY",
            segment_descriptions=_describe(report, findings, sides),
            content_label=state.label,
            content_description=state.words,
            **constructor_arguments(
                report.provenance,
                state,
                series_number=SERIES_NUMBER,
                made_at=made_at or writing_time(),
            ),
        )
        segmentation.file_meta.TransferSyntaxUID = (
            DeflatedExplicitVRLittleEndian if deflated else ExplicitVRLittleEndian
        )
        settle(segmentation, headers[0], earlier=earlier)
    return segmentation


def _in_file_order(stack: Masks, source: SeriesSource) -> Masks:
    """Return segments, planes, rows, columns as planes, rows, columns, segments.

    A view where it can be: pages of a segment that were never written take no memory.
    """
    order = plane_order(source)
    if order != sorted(order):
        stack = stack[:, order]
    return np.moveaxis(stack, 0, -1).view(_StackedSegments)


class _StackedSegments(np.ndarray[Any, np.dtype[np.uint8]]):
    """Segments whose sum over each voxel takes two bytes, where numpy would take eight.

    highdicom asks for that sum to find out whether segments overlap.
    """

    def sum(self, axis: int | None = None) -> Any:  # type: ignore[override]
        """Return how many segments hold each voxel."""
        return np.add.reduce(self.view(np.ndarray), axis=axis, dtype=np.uint16)


def lungs_on(grid: Geometry, lungs: LungMask) -> Masks:
    """Return the lungs' labels at the voxel centres of another grid, by the nearest voxel."""
    source_to_lungs = np.linalg.inv(lungs.geometry.affine) @ grid.affine
    labels = ndimage.affine_transform(
        lungs.labels_zyx,
        source_to_lungs[:3, :3],
        offset=source_to_lungs[:3, 3],
        output_shape=grid.shape_zyx,
        output=np.uint8,
        order=0,
        mode="grid-constant",
    )
    return np.asarray(labels, dtype=np.uint8)


def _with_masks(report: Report, masks: Mapping[str, NoduleMask]) -> list[ReportedNodule]:
    unknown = sorted(set(masks) - {finding.nodule.id for finding in report.active})
    if unknown:
        raise InputError(
            "a mask belongs to no finding",
            code="UNKNOWN_FINDING",
            expected=", ".join(finding.nodule.id for finding in report.active) or "no mask",
            got=", ".join(unknown),
        )
    return [finding for finding in report.active if finding.nodule.id in masks]


def _place(segment: Masks, mask: NoduleMask, grid: Geometry) -> None:
    if not mask.fits(grid):
        raise InputError(
            "a mask lies on another grid than the series",
            code="MASK_OUTSIDE_GRID",
            expected=grid.shape_zyx,
            got=f"{mask.shape_zyx} from {mask.start_zyx}",
        )
    segment[mask.box] = mask.array_zyx


def _describe(
    report: Report, findings: list[ReportedNodule], sides: list[str]
) -> list[SegmentDescription]:
    uids = tracking_uids(report)
    nodules = [
        _describe_nodule(n, each, report, tracking_uid=uids[each.nodule.id])
        for n, each in enumerate(findings, start=1)
    ]
    first = len(findings) + 1
    lungs = [_describe_lung(n, side, report) for n, side in enumerate(sides, start=first)]
    return nodules + lungs


def _describe_nodule(
    number: int, finding: ReportedNodule, report: Report, *, tracking_uid: str
) -> SegmentDescription:
    by_reader = finding.nodule.seed is not None and finding.nodule.seed.by_reader
    segment = SegmentDescription(
        segment_number=number,
        segment_label=f"Nodule {finding.nodule.id}",
        segmented_property_category=code.ABNORMALITY,
        segmented_property_type=code.SCOPES[finding.scope],
        algorithm_type=SegmentAlgorithmTypeValues.SEMIAUTOMATIC
        if by_reader
        else SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=_algorithm("measure", report.provenance),
        tracking_uid=tracking_uid,
        tracking_id=finding.nodule.id,
        display_color=CIELabColor(*_NODULE_COLORS[(number - 1) % len(_NODULE_COLORS)]),
        anatomic_regions=[code.LOBES[finding.lobe] if finding.lobe else code.LUNG],
    )
    if finding.nodule.lung is not None and finding.lobe is None:  # a lobe's code names its side
        (region,) = segment.AnatomicRegionSequence
        region.AnatomicRegionModifierSequence = [
            CodedConcept.from_code(code.SIDES[finding.nodule.lung])
        ]
    return segment


def _describe_lung(number: int, side: str, report: Report) -> SegmentDescription:
    segment = SegmentDescription(
        segment_number=number,
        segment_label=f"{side.capitalize()} lung",
        segmented_property_category=code.ANATOMY,
        segmented_property_type=code.LUNG,
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=_algorithm("lungs", report.provenance),
        display_color=CIELabColor(*_LUNG_COLOR),
    )
    (organ,) = segment.SegmentedPropertyTypeCodeSequence
    modifier = CodedConcept.from_code(code.SIDES[side])
    organ.SegmentedPropertyTypeModifierCodeSequence = [modifier]
    return segment


def _algorithm(stage: str, provenance: Provenance) -> hd.AlgorithmIdentificationSequence:
    return hd.AlgorithmIdentificationSequence(
        name=f"{PRODUCT} {stage}",
        family=code.AI,
        version=software_version(provenance),
        source=PRODUCT,
        parameters=weights_parameters(provenance) or None,
    )
