"""Saliency maps as files: the map as NIfTI, to overlay on the CT in any viewer, and a record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from nodule.errors import InputError
from nodule.geometry import Vector
from nodule.input_files import parse_json
from nodule.nifti_image import nifti, read_nifti
from nodule.saliency import SaliencyChecks, SaliencyMap

SALIENCY_FOLDER = "saliency"
"""Of a report's folder."""
_NAME = re.compile(r"[NR][1-9][0-9]*-(nodule|malignancy)\.(nii\.gz|json)")
_CHECKS = tuple(each.name for each in fields(SaliencyChecks))


def is_saliency_file(name: str) -> bool:
    """Whether a file has the name of one that :func:`saliency_files` makes."""
    return _NAME.fullmatch(name) is not None


def saliency_record(saliency_map: SaliencyMap, *, center_lps_mm: Vector) -> dict[str, Any]:
    """Return what is written of a map besides its voxels, as JSON holds it.

    Parameters
    ----------
    saliency_map : the map.
    center_lps_mm : of its finding.
    """
    checks = saliency_map.checks
    return {
        "id": saliency_map.finding_id,
        "answer": saliency_map.answer,
        "map": f"{_stem(saliency_map)}.nii.gz",
        "center_lps_mm": center_lps_mm,
        **asdict(checks),
        "change_hottest": checks.change_hottest,
        "change_elsewhere": checks.change_elsewhere,
    }


def saliency_files(saliency_map: SaliencyMap, *, record: Mapping[str, Any]) -> Mapping[str, bytes]:
    """Return a map's files by name, the record last.

    Parameters
    ----------
    saliency_map : the map.
    record : as :func:`saliency_record`, and whatever else is to be said of it.
    """
    # the format has no half-precision floats
    voxels = saliency_map.saliency_zyx.astype(np.float32)
    stem = _stem(saliency_map)
    return {
        f"{stem}.nii.gz": nifti(voxels, saliency_map.geometry),
        f"{stem}.json": f"{json.dumps(record, indent=2)}\n".encode(),
    }


def read_saliency_maps(folder: Path, *, input_sha256: str) -> tuple[SaliencyMap, ...]:
    """Read the maps in a folder; none where there is no folder.

    Parameters
    ----------
    folder : holds what :func:`saliency_files` makes, whose records name ``input_sha256``.
    input_sha256 : of the images that were explained.

    Raises
    ------
    InputError : ``BAD_SALIENCY`` for a file that cannot be read, ``FOREIGN_SALIENCY`` for a map of
        other images.
    """
    return tuple(_maps(folder, input_sha256))


def _maps(folder: Path, input_sha256: str) -> Iterator[SaliencyMap]:
    names = [path for path in folder.glob("*.json") if is_saliency_file(path.name)]
    for path in sorted(names, key=lambda each: (len(each.name), each.name)):
        try:
            record = parse_json(path.read_bytes())
            array, geometry = read_nifti(path.with_suffix(".nii.gz"))
            found = SaliencyMap(
                finding_id=record["id"],
                answer=record["answer"],
                saliency_zyx=array.astype(np.float16),
                geometry=geometry,
                checks=SaliencyChecks(
                    **{name: record[name] for name in _CHECKS}
                    | {"scores_without_elsewhere": tuple(record["scores_without_elsewhere"])}
                ),
            )
            explained = record["input_sha256"]
        except (KeyError, TypeError, ValueError, OSError, EOFError, InputError) as error:
            raise InputError(
                f"a saliency map cannot be read: {path.name}",
                code="BAD_SALIENCY",
                hint="Keep a report's files together, or remove the folder of the maps.",
            ) from error
        if explained != input_sha256:
            raise InputError(
                "a saliency map is of other images than the report",
                code="FOREIGN_SALIENCY",
                expected=input_sha256,
                got=explained,
                hint="Keep a report's files together.",
            )
        yield found


def _stem(saliency_map: SaliencyMap) -> str:
    return f"{saliency_map.finding_id}-{saliency_map.answer}"
