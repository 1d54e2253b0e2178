"""The LIDC readers' XML: what up to four radiologists marked on one CT series.

A reader marks three things. A nodule of 3 mm or more has nine ratings and an outline per slice.
A smaller nodule has one point and no ratings. A "non-nodule" is a lesion of 3 mm or more that
the reader judged to be no nodule; it has one point.

Outlines run along the first pixels **outside** the nodule (LIDC annotation document; Armato et
al. 2011, Med Phys 38:915), ``inclusion`` FALSE outlines along the first pixels outside a hole.
Coordinates are pixels of the DICOM image: ``xCoord`` is the column, ``yCoord`` the row, from 0.
Reader identities are not comparable between files: a reader is the session's index here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from numpy.typing import NDArray

from nodule.errors import InputError
from nodule.input_files import read_input_file

CHARACTERISTICS = (
    "subtlety",
    "internalStructure",
    "calcification",
    "sphericity",
    "margin",
    "lobulation",
    "spiculation",
    "texture",
    "malignancy",
)
"""The nine LIDC characteristics, in the order and spelling of the readers' XML."""

MAX_XML_BYTES = 32 * 1024 * 1024  # the collection's largest file is below 3 MB
_ROOT = "LidcReadMessage"


@dataclass(frozen=True, kw_only=True, eq=False)
class Contour:
    """An outline on one slice.

    Parameters
    ----------
    z_mm : the slice's position as the file states it.
    sop_instance_uid : the slice's image.
    inclusion : False for the outline of a hole.
    edge_rc : int, shape (n, 2): row and column of the pixels outlined, in order, n >= 2.
    """

    z_mm: float
    sop_instance_uid: str
    inclusion: bool
    edge_rc: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class NoduleReading:
    """One reader's nodule of 3 mm or more.

    Parameters
    ----------
    reader : index of the reading session.
    nodule_id : the reader's own name of it.
    ratings : characteristic to value; ``0`` and blanks are left out.
    contours : at least one.
    """

    reader: int
    nodule_id: str
    ratings: Mapping[str, int]
    contours: tuple[Contour, ...]


@dataclass(frozen=True, kw_only=True)
class PointMark:
    """A finding that a reader marked by one point.

    Parameters
    ----------
    kind : ``small``, a nodule below 3 mm, or ``non_nodule``.
    reader : index of the reading session.
    mark_id : the reader's own name of it.
    z_mm, sop_instance_uid, row, column : where it is.
    """

    kind: Literal["small", "non_nodule"]
    reader: int
    mark_id: str
    z_mm: float
    sop_instance_uid: str
    row: int
    column: int


@dataclass(frozen=True, kw_only=True, eq=False)
class LidcReadings:
    """All that the readers marked on one series.

    Parameters
    ----------
    study_instance_uid, series_instance_uid : the series read; empty where not stated.
    n_sessions : number of reading sessions.
    nodules, small_nodules, non_nodules : in the file's order.
    """

    study_instance_uid: str
    series_instance_uid: str
    n_sessions: int
    nodules: tuple[NoduleReading, ...]
    small_nodules: tuple[PointMark, ...]
    non_nodules: tuple[PointMark, ...]


def read_lidc_xml(path: Path | str) -> LidcReadings:
    """Read one file.

    A point on a nodule that also has outlines is a slip of the pen and left out. A nodule
    without any outline counts as small.

    Raises
    ------
    InputError : ``CANNOT_READ``; ``XML_TOO_LARGE``; ``XML_FORBIDDEN`` for a DTD, entities or
        external references; ``NOT_XML``; ``NOT_LIDC_XML``, for instance readings of chest
        radiographs, which lie beside those of CT; ``BAD_LIDC_XML`` for a missing or senseless
        value.
    """
    file = Path(path)
    content = read_input_file(file, max_bytes=2 * MAX_XML_BYTES)
    if len(content) > MAX_XML_BYTES:
        raise InputError(
            f"{file.name} is too large for readings",
            code="XML_TOO_LARGE",
            expected=f"at most {MAX_XML_BYTES} bytes",
            got=f"{len(content)} bytes or more",
        )
    root = _parse(file.name, content)
    if _name(root) != _ROOT:
        raise InputError(
            f"{file.name} holds no CT readings",
            code="NOT_LIDC_XML",
            expected=_ROOT,
            got=_name(root),
        )
    try:
        return _readings(root)
    except (ValueError, OverflowError) as error:
        raise InputError(
            f"{file.name} holds a value that cannot be read",
            code="BAD_LIDC_XML",
            got=str(error),
        ) from error


def _parse(name: str, content: bytes) -> Element:
    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise InputError(
            f"{name} declares entities or a DTD, which readings never need",
            code="XML_FORBIDDEN",
            got=type(error).__name__,
            hint="Do not trust this file",
        ) from error
    except (ParseError, ValueError, LookupError) as error:  # an encoding of another name or width
        raise InputError(f"{name} is not XML", code="NOT_XML", got=str(error)) from error
    return root


def _readings(root: Element) -> LidcReadings:
    header = next(_children(root, "ResponseHeader"), Element("empty"))
    sessions = list(_children(root, "readingSession"))
    nodules: list[NoduleReading] = []
    small: list[PointMark] = []
    others: list[PointMark] = []
    for reader, session in enumerate(sessions):
        for element in _children(session, "unblindedReadNodule"):
            mark = _nodule(element, reader)
            if isinstance(mark, NoduleReading):
                nodules.append(mark)
            elif mark is not None:
                small.append(mark)
        others.extend(_non_nodule(e, reader) for e in _children(session, "nonNodule"))
    return LidcReadings(
        study_instance_uid=_text(header, "StudyInstanceUID"),
        series_instance_uid=_text(header, "SeriesInstanceUID"),
        n_sessions=len(sessions),
        nodules=tuple(nodules),
        small_nodules=tuple(small),
        non_nodules=tuple(others),
    )


def _nodule(element: Element, reader: int) -> NoduleReading | PointMark | None:
    rois = [_contour(roi) for roi in _children(element, "roi")]
    outlines = tuple(roi for roi in rois if len(roi.edge_rc) > 1)
    nodule_id = _text(element, "noduleID")
    if outlines:
        return NoduleReading(
            reader=reader, nodule_id=nodule_id, ratings=_ratings(element), contours=outlines
        )
    if not rois:
        return None
    row, column = rois[0].edge_rc[0].tolist()
    return PointMark(
        kind="small",
        reader=reader,
        mark_id=nodule_id,
        z_mm=rois[0].z_mm,
        sop_instance_uid=rois[0].sop_instance_uid,
        row=row,
        column=column,
    )


def _non_nodule(element: Element, reader: int) -> PointMark:
    [[row, column]] = [_pixel(locus) for locus in _children(element, "locus")][:1]
    return PointMark(
        kind="non_nodule",
        reader=reader,
        mark_id=_text(element, "nonNoduleID"),
        z_mm=_height_mm(element),
        sop_instance_uid=_text(element, "imageSOP_UID"),
        row=row,
        column=column,
    )


def _contour(roi: Element) -> Contour:
    edge = [_pixel(point) for point in _children(roi, "edgeMap")]
    if not edge:
        raise ValueError("a roi without edgeMap")
    inclusion = _text(roi, "inclusion").upper()
    if inclusion not in ("TRUE", "FALSE"):
        raise ValueError(f"inclusion {inclusion!r}")
    return Contour(
        z_mm=_height_mm(roi),
        sop_instance_uid=_text(roi, "imageSOP_UID"),
        inclusion=inclusion == "TRUE",
        edge_rc=np.array(edge, dtype=np.int64),
    )


def _height_mm(element: Element) -> float:
    height_mm = float(_text(element, "imageZposition"))
    if not math.isfinite(height_mm):
        raise ValueError(f"imageZposition {height_mm}")
    return height_mm


def _pixel(point: Element) -> tuple[int, int]:
    return int(_text(point, "yCoord")), int(_text(point, "xCoord"))


def _ratings(element: Element) -> dict[str, int]:
    stated = next(_children(element, "characteristics"), Element("empty"))
    values = {name: int(_text(stated, name) or 0) for name in CHARACTERISTICS}
    if not all(0 <= value <= 6 for value in values.values()):
        raise ValueError(f"ratings {values}")
    return {name: value for name, value in values.items() if value}


def _children(element: Element, name: str) -> Iterator[Element]:
    # the files' namespaces differ, and so does the case of some names
    return (child for child in element if _name(child).lower() == name.lower())


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(element: Element, name: str) -> str:
    child = next(_children(element, name), None)
    return (child.text or "").strip() if child is not None else ""
