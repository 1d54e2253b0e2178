"""How everything that the stages hand on is stored."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from nodule.findings import Assessment, Candidate, Finding, ScoredCandidate
from nodule.geometry import Geometry
from nodule.lung_disease import LungDisease
from nodule.masks import NoduleMask, Texture
from nodule.nodules import Nodule
from nodule.saliency import Answer, SaliencyChecks, SaliencyMap
from nodule.study import SeriesHeader, SliceReference, Study, StudyWarning
from nodule.volume import LungMask, Volume, compact
from pipelines.codec import (
    Codecs,
    Files,
    JsonCodec,
    PackedArray,
    Payload,
    from_json,
    to_json,
    unpack,
)


class VolumeCodec:
    """Stores a :class:`Volume`, as int16 where every voxel is whole and fits.

    It reads back equal in every voxel; -0.0 reads back as 0.0.
    """

    def encode(self, value: Volume) -> Files:
        """Return ``array.blosc2`` and ``geometry.json``."""
        return {
            "array.blosc2": PackedArray(compact(value.array_zyx)),
            "geometry.json": to_json(Geometry, value.geometry),
        }

    def decode(self, files: Files) -> Volume:
        """Return the volume."""
        return Volume(
            array_zyx=unpack(files["array.blosc2"]),
            geometry=from_json(Geometry, files["geometry.json"]),
        )


class LungMaskCodec:
    """Stores a :class:`LungMask`."""

    def encode(self, value: LungMask) -> Files:
        """Return ``labels.blosc2`` and ``geometry.json``."""
        return {
            "labels.blosc2": PackedArray(value.labels_zyx),
            "geometry.json": to_json(Geometry, value.geometry),
        }

    def decode(self, files: Files) -> LungMask:
        """Return the mask."""
        return LungMask(
            labels_zyx=unpack(files["labels.blosc2"]),
            geometry=from_json(Geometry, files["geometry.json"]),
        )


class StudyCodec:
    """Stores a :class:`Study`: its volume, and what its files say about it.

    What somebody may have typed into the files is left out, since it may name a patient.
    """

    def encode(self, value: Study) -> Files:
        """Return the volume's files, ``series.json``, ``slices.json`` and ``warnings.json``."""
        return {
            **VolumeCodec().encode(value.volume),
            "series.json": to_json(
                SeriesHeader, replace(value.series, series_description=None, contrast_agent=None)
            ),
            "slices.json": to_json(tuple[SliceReference, ...], value.slices),
            "warnings.json": to_json(tuple[StudyWarning, ...], value.warnings),
        }

    def decode(self, files: Files) -> Study:
        """Return the study."""
        return Study(
            volume=VolumeCodec().decode(files),
            series=from_json(SeriesHeader, files["series.json"]),
            slices=from_json(tuple[SliceReference, ...], files["slices.json"]),
            warnings=from_json(tuple[StudyWarning, ...], files["warnings.json"]),
        )


_AboutMask = tuple[tuple[int, int, int], Geometry, Texture | None, bool]
_AboutFindings = tuple[tuple[Nodule, Assessment | None, _AboutMask | None], ...]


class FindingsCodec:
    """Stores :class:`Finding` after :class:`Finding`, each mask and core in a file of its own."""

    def encode(self, value: tuple[Finding, ...]) -> Files:
        """Return ``findings.json``, and ``mask-0.blosc2``, ``core-0.blosc2`` and so on."""
        about = tuple((each.nodule, each.assessment, _about_mask(each.mask)) for each in value)
        arrays: dict[str, Payload] = {}
        for number, each in enumerate(value):
            if each.mask is not None:
                arrays[f"mask-{number}.blosc2"] = PackedArray(each.mask.array_zyx)
                if each.mask.core_zyx is not None:
                    arrays[f"core-{number}.blosc2"] = PackedArray(each.mask.core_zyx)
        return {"findings.json": to_json(_AboutFindings, about), **arrays}

    def decode(self, files: Files) -> tuple[Finding, ...]:
        """Return the findings."""
        about: _AboutFindings = from_json(_AboutFindings, files["findings.json"])
        return tuple(
            Finding(nodule=nodule, assessment=assessment, mask=_mask(number, files, about_mask))
            for number, (nodule, assessment, about_mask) in enumerate(about)
        )


def _about_mask(mask: NoduleMask | None) -> _AboutMask | None:
    if mask is None:
        return None
    return mask.start_zyx, mask.geometry, mask.texture, mask.core_zyx is not None


def _mask(number: int, files: Files, about: _AboutMask | None) -> NoduleMask | None:
    if about is None:
        return None
    start_zyx, geometry, texture, has_core = about
    return NoduleMask(
        array_zyx=unpack(files[f"mask-{number}.blosc2"]),
        start_zyx=start_zyx,
        geometry=geometry,
        texture=texture,
        core_zyx=unpack(files[f"core-{number}.blosc2"]) if has_core else None,
    )


_AboutSaliency = tuple[tuple[str, Answer, Geometry, SaliencyChecks], ...]


class SaliencyMapsCodec:
    """Stores :class:`SaliencyMap` after :class:`SaliencyMap`, each array in a file of its own."""

    def encode(self, value: tuple[SaliencyMap, ...]) -> Files:
        """Return ``maps.json``, and ``saliency-0.blosc2`` and so on."""
        about = tuple((m.finding_id, m.answer, m.geometry, m.checks) for m in value)
        arrays = {
            f"saliency-{number}.blosc2": PackedArray(m.saliency_zyx)
            for number, m in enumerate(value)
        }
        return {"maps.json": to_json(_AboutSaliency, about), **arrays}

    def decode(self, files: Files) -> tuple[SaliencyMap, ...]:
        """Return the maps."""
        about: _AboutSaliency = from_json(_AboutSaliency, files["maps.json"])
        return tuple(
            SaliencyMap(
                finding_id=finding_id,
                answer=answer,
                saliency_zyx=unpack(files[f"saliency-{number}.blosc2"]),
                geometry=geometry,
                checks=checks,
            )
            for number, (finding_id, answer, geometry, checks) in enumerate(about)
        )


CODECS: Codecs = MappingProxyType(
    {
        Study: StudyCodec(),
        Volume: VolumeCodec(),
        LungMask: LungMaskCodec(),
        tuple[Candidate, ...]: JsonCodec[tuple[Candidate, ...]](tuple[Candidate, ...]),
        tuple[ScoredCandidate, ...]: JsonCodec[tuple[ScoredCandidate, ...]](
            tuple[ScoredCandidate, ...]
        ),
        tuple[Finding, ...]: FindingsCodec(),
        LungDisease: JsonCodec[LungDisease](LungDisease),
        tuple[SaliencyMap, ...]: SaliencyMapsCodec(),
    }
)
"""How everything that the stages hand on is stored."""
