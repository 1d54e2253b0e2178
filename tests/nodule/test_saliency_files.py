"""Saliency maps come back as they went, and no others are taken for them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodule.errors import InputError
from nodule.geometry import Geometry
from nodule.saliency import SaliencyChecks, SaliencyMap
from nodule.saliency_files import (
    is_saliency_file,
    read_saliency_maps,
    saliency_files,
    saliency_record,
)

GRID = Geometry(shape_zyx=(3, 4, 5), spacing_zyx_mm=(1.0, 1.0, 1.0), origin_lps_mm=(-9.5, 12.0, -7))
IMAGES = "a" * 64


def made(finding_id: str, seed: int) -> SaliencyMap:
    rng = np.random.default_rng(seed)
    return SaliencyMap(
        finding_id=finding_id,
        answer="malignancy",
        saliency_zyx=rng.random(GRID.shape_zyx).astype(np.float16),
        geometry=GRID,
        checks=SaliencyChecks(
            score=3.1,
            score_without_hottest=2.1,
            scores_without_elsewhere=(3.0, 1 / 3),
            likeness_random_head=0.5,
            likeness_random_network=0.1,
        ),
    )


def write(folder: Path, *maps: SaliencyMap) -> None:
    folder.mkdir()
    for each in maps:
        record = {
            "input_sha256": IMAGES,
            **saliency_record(each, center_lps_mm=(1.0, 2.0, 3.0)),
        }
        for name, content in saliency_files(each, record=record).items():
            assert is_saliency_file(name)
            (folder / name).write_bytes(content)


def test_maps_come_back_in_the_order_of_their_findings(tmp_path: Path) -> None:
    maps = [made(f"N{n}", n) for n in (1, 2, 10)]
    write(tmp_path / "maps", *reversed(maps))
    (tmp_path / "maps" / "notes.json").write_text("not a map")
    back = read_saliency_maps(tmp_path / "maps", input_sha256=IMAGES)
    assert [each.finding_id for each in back] == ["N1", "N2", "N10"]
    for one, other in zip(back, maps, strict=True):
        np.testing.assert_array_equal(one.saliency_zyx, other.saliency_zyx, strict=True)
        assert one.geometry.is_close(other.geometry)
        assert (one.answer, one.checks) == (other.answer, other.checks)


def test_no_folder_holds_no_maps(tmp_path: Path) -> None:
    assert read_saliency_maps(tmp_path / "none", input_sha256=IMAGES) == ()


def test_maps_of_other_images_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "maps", made("N1", 1))
    with pytest.raises(InputError, match="FOREIGN_SALIENCY"):
        read_saliency_maps(tmp_path / "maps", input_sha256="b" * 64)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: record.pop("input_sha256"),
        lambda record: record.pop("score"),
        lambda record: record.update(answer=7) or record.pop("answer"),
        lambda record: record.update(scores_without_elsewhere=None),
    ],
)
def test_a_record_that_lacks_something_is_refused(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], object]
) -> None:
    write(tmp_path / "maps", made("N1", 1))
    path = tmp_path / "maps" / "N1-malignancy.json"
    record = json.loads(path.read_bytes())
    spoil(record)
    path.write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"BAD_SALIENCY.*N1-malignancy\.json"):
        read_saliency_maps(tmp_path / "maps", input_sha256=IMAGES)


def test_a_map_without_voxels_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "maps", made("N1", 1))
    (tmp_path / "maps" / "N1-malignancy.nii.gz").unlink()
    with pytest.raises(InputError, match="BAD_SALIENCY"):
        read_saliency_maps(tmp_path / "maps", input_sha256=IMAGES)
