"""SIGINT and SIGTERM end every long command alike: told, summed up, with its own status."""

import json
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.cli.main import app, main

STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}
WORK = {  # the words of a command, and what it calls for its work
    "run {study} -o {out} --cache {cache}": "pipelines.process.detect",
    "compare {study} {file} -o {out} --cache {cache}": "pipelines.process.process_study",
    "explain {study} -o {out} --cache {cache}": "pipelines.process.detect",
    "check {study}": "nodule.ct.read_source",
    "locate {study} --lps 0 0 0": "nodule.ct.read_ct",
    "demo -o {out}": "nodule.phantom.make_phantom",
    "phantom -o {out}": "nodule.phantom.make_phantom",
    "benchmark": "nodule.phantom.make_phantom",
    "review apply {file} {file} --study {study} -o {out}": "pipelines.reviewing.review_report",
    "verify {study}": "pipelines.verification.verify_results",
    "train lungs -o {out}": "pipelines.training.train_stage",
    "dataset lidc {out} -o {out}/set": "nodule.training.LidcCollection",
    "dataset luna16 {out} -o {out}/set": "nodule.training.Luna16Collection",
    "dataset detections {study} -o {out}/t.csv": "nodule.lidc.find_scans",
    "dataset review {study} {file} {file} -o {out}/set": "pipelines.reviewing.label_reviews",
    "evaluate phantoms": "nodule.evaluate.nodule_measurement.evaluate_phantoms",
    "evaluate measure --data {out}": "nodule.training.CropSet.open",
    "evaluate candidates --data {out} --scans {study}": "nodule.training.CropSet.open",
    "evaluate malignancy --data {out}": "nodule.training.CropSet.open",
    "evaluate lungs {study}": "nodule.lidc.find_scans",
    "evaluate transfer --data {out} --fold 1 --tuned {file} --scratch {file}": (
        "nodule.training.CropSet.open"
    ),
    "evaluate froc --submission {file} --annotations {file} --excluded {file} "
    "--seriesuids {file}": "nodule.lidc.read_series_uids",
    "cache verify --cache {cache}": "pipelines.cache.Cache.verify",
}
SHORT = {  # or tried where their room is tested
    *("about", "batch", "card", "cache", "config", "forecast", "info", "push", "serve"),
}


@pytest.fixture
def _restored() -> Iterator[None]:
    """Put back what the command changes of its process."""
    handlers = {each: signal.getsignal(each) for each in STATUS}
    mask = os.umask(0)
    os.umask(mask)
    last, root = logging.lastResort, logging.getLogger()
    assert last is not None
    filters, root_handlers = list(last.filters), list(root.handlers)
    yield
    for each, handler in handlers.items():
        signal.signal(each, handler)
    os.umask(mask)
    last.filters[:], root.handlers[:] = filters, root_handlers


def names(command: Any) -> set[str]:
    return {each.name or each.callback.__name__ for each in command.registered_commands} | {
        each.name for each in command.registered_groups
    }


def test_every_command_is_tried() -> None:
    assert names(app) - {line.split()[0] for line in WORK} <= SHORT


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize("number", STATUS, ids=lambda each: each.name)
@pytest.mark.parametrize("line", WORK)
def test_a_signal_ends_it(
    phantom_study: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    line: str,
    number: signal.Signals,
) -> None:
    def work(*_: object, **__: object) -> None:
        os.kill(os.getpid(), number)

    target = WORK[line]
    if target.endswith("Collection"):
        collection = SimpleNamespace(inputs=(tmp_path,), foreign=(), cut=work)
        monkeypatch.setattr(target, lambda _: collection)
    else:
        monkeypatch.setattr(target, work)
    (tmp_path / "file").write_text("{}")
    (tmp_path / "out").mkdir()
    places = {
        "study": phantom_study,
        "file": tmp_path / "file",
        "out": tmp_path / "out",
        "cache": tmp_path / "cache",
    }
    words = [word.format(**places) for word in line.split()]
    monkeypatch.setattr("sys.argv", ["nodule", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == STATUS[number]
    said = capsys.readouterr()
    assert json.loads(said.out.splitlines()[-1])["interrupted"] == number.name
    assert f"INTERRUPTED: {number.name}" in said.err
    assert [path for path in tmp_path.rglob("*") if path.name.startswith(".")] == []
