"""``import nodule`` costs nothing, and offers what a notebook needs."""

import subprocess
import sys

import pytest

import nodule

HEAVY = ("torch", "monai", "SimpleITK", "pydicom", "highdicom", "numpy", "scipy", "pydantic")
IMPORT_S = 0.1


def python(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_importing_loads_nothing_heavy() -> None:
    loaded = python("import sys, nodule; print(*sys.modules)").split()
    assert "nodule" in loaded
    assert set(HEAVY).isdisjoint(loaded)


def test_importing_takes_no_time() -> None:
    script = (
        "import time; start = time.process_time(); import nodule; "
        "print(time.process_time() - start)"
    )
    assert min(float(python(script)) for _ in range(3)) <= IMPORT_S


def test_reading_names_loads_no_network() -> None:
    loaded = python("import sys, nodule; nodule.Study, nodule.Detection; print(*sys.modules)")
    assert {"torch", "monai", "SimpleITK", "pydicom"}.isdisjoint(loaded.split())


@pytest.mark.parametrize("name", nodule.__all__)
def test_every_name_that_is_offered_is_there(name: str) -> None:
    assert getattr(nodule, name) is not None
    assert name in dir(nodule)


def test_another_name_is_refused_as_of_any_module() -> None:
    with pytest.raises(AttributeError, match="nodule attribute diagnose"):
        _ = nodule.diagnose


def test_the_module_runs_as_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nodule", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"nodule {nodule.__version__}\n"


def test_a_wrong_use_of_the_module_ends_as_the_command_does() -> None:
    done = subprocess.run([sys.executable, "-m", "nodule", "diagnose"], capture_output=True)
    assert done.returncode == 2
