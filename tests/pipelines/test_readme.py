"""What ``pipelines/README.md`` shows works, and what it names is there."""

import re
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import pytest

import pipelines
from nodule.errors import ConfigError
from pipelines.codec import JsonCodec
from pipelines.graph import Flow, Source, Step
from pipelines.runner import run_flow

FOLDER = Path(pipelines.__file__).parent
TEXT = (FOLDER / "README.md").read_text()


@pytest.fixture(scope="module")
def stage() -> Any:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    made: dict[str, Any] = {"__name__": __name__}
    exec(textwrap.dedent(code), made)
    return made["CountAbove"]


def test_the_stage_that_it_shows_runs_in_a_flow(stage: Any) -> None:
    step = Step(stage=stage(threshold_hu=-600.0), inputs={"values": "hu"}, output=int)
    source = Source(key="k", load=lambda: (-1000.0, -599.0, 40.0))
    result = run_flow(
        Flow.of(step), {"hu": source}, wanted=["count_above"], cache=None,
        codecs={int: JsonCodec[int](int)},
    )  # fmt: skip
    assert result.outputs == {"count_above": 2}


def test_the_stage_that_it_shows_has_ranges(stage: Any) -> None:
    with pytest.raises(ConfigError, match=r"threshold_hu.*from -1024 to 3071; got 5000"):
        stage(threshold_hu=5000)


def test_it_names_every_module_of_the_engine_and_of_training() -> None:
    settings = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text())
    (engine,) = (
        contract["source_modules"]
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["name"].startswith("the engine knows")
    )
    training = [p.stem for p in FOLDER.glob("training/*.py") if p.stem != "__init__"]
    names = [*(module.rpartition(".")[2] for module in engine), *training]
    assert [name for name in names if not re.search(rf"\b{name}\b", TEXT)] == []


def test_every_file_that_it_links_is_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (FOLDER / target).exists(), target
