import hashlib
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pydicom

from nodule.ct import read_ct
from nodule.phantom import Phantom, WrittenStudy, make_phantom, truth, write_nifti, write_study


def test_is_read_back_voxel_by_voxel(phantom: Phantom, written: WrittenStudy) -> None:
    study = read_ct(written.folder)
    assert study.volume.geometry.is_close(phantom.volume.geometry)
    assert np.array_equal(study.volume.array_zyx, phantom.volume.array_zyx)
    assert study.series.series_instance_uid == written.series_instance_uid


def test_pixel_spacing_is_row_spacing_first(written: WrittenStudy) -> None:
    first = pydicom.dcmread(written.slices[0])
    assert [float(v) for v in first.PixelSpacing] == [2.2, 2.0]
    assert (first.Rows, first.Columns) == (160, 180)


def test_the_first_instance_is_the_highest(written: WrittenStudy) -> None:
    heads = [pydicom.dcmread(p, stop_before_pixels=True) for p in written.slices]
    assert [int(h.InstanceNumber) for h in heads] == list(range(1, 113))
    heights = [float(h.ImagePositionPatient[2]) for h in heads]
    assert heights == sorted(heights, reverse=True)


def test_padding_is_stored_outside_the_circle(written: WrittenStudy) -> None:
    first = pydicom.dcmread(written.slices[0])
    assert first.pixel_array[0, 0] == first.PixelPaddingValue == -2000


def test_dciodvfy_finds_nothing_to_say(
    written: WrittenStudy, dciodvfy: Callable[..., list[str]]
) -> None:
    for path in (written.slices[0], written.slices[-1]):
        assert dciodvfy(path, warnings=True) == []


def test_equal_phantoms_give_equal_bytes(
    phantom: Phantom, written: WrittenStudy, tmp_path: Path
) -> None:
    again = write_study(make_phantom(phantom.spec), tmp_path)

    def digests(study: WrittenStudy) -> list[str]:
        files = [*study.slices, study.annotations]
        return [hashlib.sha256(f.read_bytes()).hexdigest() for f in files]

    assert digests(again) == digests(written)


def test_nifti_holds_the_same_image(phantom: Phantom, tmp_path: Path) -> None:
    path = tmp_path / "ct.nii.gz"
    write_nifti(phantom.volume, path)
    image = nibabel.load(path)
    assert nibabel.aff2axcodes(image.affine) == ("L", "P", "S")
    study = read_ct(path)
    assert study.volume.geometry.is_close(phantom.volume.geometry)
    assert np.array_equal(study.volume.array_zyx, phantom.volume.array_zyx)


def test_truth_names_the_series_and_every_nodule(phantom: Phantom, written: WrittenStudy) -> None:
    known = truth(phantom)
    assert known["series_instance_uid"] == written.series_instance_uid
    nodules = known["nodules"]
    assert isinstance(nodules, list)
    assert [n["texture"] for n in nodules] == [p.texture for p in phantom.spec.nodules]
