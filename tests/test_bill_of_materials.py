"""``.ci/sbom`` lists what the software is made of, as CycloneDX."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("sbom") / "sbom.json"
    subprocess.run(
        [ROOT / ".ci" / "sbom", path], env=os.environ | {"PYTHON": sys.executable}, check=True
    )
    return path.read_text(encoding="utf-8")


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()  # PEP 503


def test_it_is_valid_by_the_standards_schema(written: str) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(written) is None
    assert validator.validate_str(written.replace('"CycloneDX"', '"Other"')) is not None


def test_it_names_the_package_and_all_that_it_requires(written: str) -> None:
    bill: dict[str, Any] = json.loads(written)
    about = bill["metadata"]["component"]
    assert (about["name"], about["type"]) == ("nodule", "application")
    listed = {plain(each["name"]): each["version"] for each in bill["components"]}
    needed = [each for each in requires("nodule") or [] if "extra ==" not in each]
    names = {plain(re.split(r"[^\w.-]", each, maxsplit=1)[0]) for each in needed}
    assert {"torch", "monai", "pydicom", "simpleitk"} < names
    assert {name: listed.get(name) for name in names} == {name: version(name) for name in names}
    found = [
        each for each in bill["components"] if each["name"] != "nodule"
    ]  # itself is no release
    assert all(each["purl"].startswith("pkg:pypi/") for each in found)
