import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import light_flow
import pytest

from pipelines.cache import Cache
from pipelines.fingerprint import Recipe

Nodule = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def cache_command(tmp_path: Path) -> Nodule:
    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(Path(light_flow.__file__)), "cache", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "NODULE_CACHE": str(tmp_path / "cache")},
        )

    return run


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    cache = Cache(tmp_path / "cache")
    for by in (1, 2):
        recipe = Recipe(stage="toy", version=3, constants={}, fields={"by": by}, inputs={})
        cache.store(recipe, {"value.json": b"1" * 1000}, seconds=2.5)
    return cache


def test_lists_what_is_stored(cache_command: Nodule, cache: Cache) -> None:
    lines = cache_command("list").stdout.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["toy", "v3"]] * 2
    assert lines[2].startswith("2 entries, 0.0 MB")


def test_verify_finds_what_is_damaged(cache_command: Nodule, cache: Cache) -> None:
    assert cache_command("verify").returncode == 0
    (cache.root / "entries-v3" / cache.keys()[0] / "value.json").write_bytes(b"2")
    done = cache_command("verify")
    assert done.returncode == 1
    assert "CACHE_CORRUPT" in done.stderr
    assert done.stdout == "2 entries, 1 corrupt\n"
    assert cache_command("verify").stdout == "1 entries, 0 corrupt\n"


def test_verify_names_what_another_version_left(cache_command: Nodule, cache: Cache) -> None:
    (cache.root / "entries-v1" / "a").mkdir(parents=True)
    done = cache_command("verify")
    assert (done.returncode, done.stdout) == (0, "2 entries, 0 corrupt\n")
    assert done.stderr.startswith("entries-v1: of another format, not verified")


def test_prunes_to_a_size(cache_command: Nodule, cache: Cache) -> None:
    assert cache_command("prune").stdout == "removed 0 entries and 0 leftovers\n"
    assert cache_command("prune", "--max-gib", 0).stdout.startswith("removed 2 entries")
    assert cache.keys() == ()


def test_explains_why_a_stage_will_run_again(
    cache_command: Nodule, nodule_run: Nodule, phantom_study: Path, tmp_path: Path
) -> None:
    json.loads(nodule_run(phantom_study, "-o", tmp_path / "out").stdout.splitlines()[-1])
    config = tmp_path / "own.toml"
    config.write_text(light_flow.CONFIG.replace("count = 2", "count = 3"))
    lines = cache_command("explain", phantom_study, "--config", config).stdout.splitlines()
    words = [" ".join(line.split()[:2]) for line in lines if not line.startswith("  ")]
    assert words == [
        "read_ct cached",
        "resample cached",
        "lungs cached",
        "candidates changed",
        "malignancy changed",
        "measure changed",
        "disease changed",
    ]
    assert "  count 2 -> 3" in lines
    assert "  input candidates: output of candidates" in lines
