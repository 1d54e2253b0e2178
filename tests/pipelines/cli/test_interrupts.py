"""SIGINT and SIGTERM: told, summed up, nothing half-written, no process left."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import light_flow
import pytest

Nodule = Callable[..., "subprocess.CompletedProcess[str]"]
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture
def slow_config(tmp_path: Path) -> Path:
    config = tmp_path / "slow.toml"
    config.write_text(light_flow.CONFIG.replace("slowness_s = 0.0", "slowness_s = 60.0"))
    return config


def wait_for(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_left(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)
def test_a_signal_ends_a_run_with_what_is_done(
    nodule_run: Nodule,
    command: list[str],
    phantom_study: Path,
    slow_config: Path,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    out = tmp_path / "out"
    assert nodule_run(phantom_study, "-o", tmp_path / "before").returncode == 0  # fills the cache
    second = shutil.copytree(phantom_study, tmp_path / "CASE-2")
    max(second.rglob("*.dcm")).unlink()  # one slice less is another study
    process = subprocess.Popen(
        [*command, "--config", str(slow_config), str(phantom_study), str(second), "-o", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    entries = tmp_path / "cache" / "entries-v3"
    before = len(list(entries.iterdir()))
    wait_for(lambda: len(list(entries.iterdir())) == before + 4)  # the slow stage comes next
    process.send_signal(number)
    said, told = process.communicate(timeout=60)
    assert process.returncode == STATUS[number], told
    summary = json.loads(said.splitlines()[-1])
    assert [row["study"] for row in summary["done"]] == ["CASE-1"]
    assert summary["interrupted"] == number.name
    assert summary["left"] == [str(second)]
    assert summary["failed"] == []
    assert f"INTERRUPTED: {number.name}" in told
    assert "Traceback" not in told
    assert [path.name for path in out.iterdir()] == ["CASE-1"]
    assert list((tmp_path / "cache" / "partial").iterdir()) == []
    wait_for(lambda: not is_left(process.pid))


def test_a_second_signal_ends_it_at_once(
    command: list[str], phantom_study: Path, slow_config: Path, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [*command, "--config", str(slow_config), str(phantom_study), "-o", str(tmp_path / "out")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for((tmp_path / "out").is_dir)
    while process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        time.sleep(0.01)
    assert process.returncode in (143, -signal.SIGTERM)
