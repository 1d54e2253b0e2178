"""The rooms of the networks name what others may use, and load no network for it."""

import importlib
import subprocess
import sys

import pytest

STAGES = ("candidates", "malignancy", "lungs")
ROOMS = ("lidc", "training", *STAGES, *(f"{stage}.training" for stage in STAGES))


@pytest.mark.parametrize("room", ROOMS)
def test_every_name_of_a_face_is_there(room: str) -> None:
    face = importlib.import_module(f"nodule.{room}")
    assert len(set(face.__all__)) == len(face.__all__)
    assert all(getattr(face, name) is not None for name in face.__all__)
    with pytest.raises(AttributeError):
        face.nothing_of_that_name  # noqa: B018


def test_faces_load_neither_torch_nor_simpleitk() -> None:
    program = (
        f"import sys, {', '.join(f'nodule.{room}' for room in ROOMS)}; "
        "sys.exit(bool({'torch', 'monai', 'SimpleITK'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
