"""Nothing from a header or a file name steers the terminal."""

import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest
from damage.made_series import SIGNED, make_slices, save

from pipelines.cli._terminal import PrintableMessages, in_markup, printable, say_json

HOSTILE = "a\x1b[2J\x1b]0;title\x07b\r\x9b31m\u202ec\x7f\udcff"
ESCAPED = r"a\x1b[2J\x1b]0;title\x07b\r\x9b31m\u202ec\x7f\udcff"
ALLOWED = {chr(code) for code in range(0x20, 0x7F)} | {"\n"}


def test_what_steers_is_shown_as_an_escape_and_all_else_stays() -> None:
    assert printable(HOSTILE) == ESCAPED
    assert printable("山田 Müller ≤ 5 mm³\n", keep="\n") == "山田 Müller ≤ 5 mm³\n"
    assert printable("a\nb\u2028c") == r"a\nb\u2028c"


def test_json_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    say_json(json.dumps({"a": HOSTILE}, ensure_ascii=False, indent=2))
    said = capsys.readouterr().out
    assert json.loads(said) == {"a": HOSTILE}
    assert set(said) <= ALLOWED


def test_markup_is_shown_and_not_obeyed() -> None:
    assert in_markup("[red]a\x1b") == r"\[red]a\x1b"


def test_log_messages_are_printable(caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.addFilter(PrintableMessages())
    logging.getLogger("nodule").warning("%s: odd", HOSTILE)
    assert caplog.messages == [f"{ESCAPED}: odd"]


@pytest.mark.parametrize("command", ["check", "check --json", "run -o OUT", "locate --lps 0 0 0"])
def test_no_command_hands_on_what_a_header_or_a_file_name_holds(
    phantom_study: Path, tmp_path: Path, command: str
) -> None:
    study = shutil.copytree(phantom_study, tmp_path / "a\x1b[31mb")
    for path in study.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        dataset.SeriesDescription = "\x1b[2Jchest\x07"
        dataset.save_as(path)
    min(study.rglob("*.dcm")).unlink()
    (study / "\x1b[2Jnot dicom\x9b").write_text("x")
    sorted(study.rglob("*.dcm"))[5].unlink()  # a gap, which is refused
    name, *words = command.replace("OUT", str(tmp_path / "out")).split()
    done = subprocess.run(
        [sys.executable, "-m", "nodule", name, str(study), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "MISSING_SLICES" in said
    assert not {each for each in said if ord(each) < 0x20} - {"\n"}
    assert not {each for each in said if 0x7F <= ord(each) < 0xA0}


@pytest.mark.parametrize(
    "words",
    [[HOSTILE], ["run", "--none" + HOSTILE], ["run", "x", HOSTILE, "--device", HOSTILE, "-o", "o"]],
)
def test_wrong_usage_is_one_line_with_a_code_and_without_what_steers(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nodule", *(each.replace("\udcff", "") for each in words)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("WRONG_USAGE: ")
    assert done.stderr.count("\n") == 1
    assert set(done.stderr) <= ALLOWED


def test_a_command_without_arguments_shows_its_help() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nodule", "cache"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "prune" in done.stdout + done.stderr
    assert "WRONG_USAGE" not in done.stderr


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_terminal_of_few_characters_shows_the_others_as_escapes(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    slices = make_slices(SIGNED)
    for ds in slices:
        ds.SpecificCharacterSet, ds.SeriesDescription = "ISO_IR 192", "Größe 胸部"
    folder = save(slices, tmp_path / "Größe 胸部")
    done = subprocess.run(
        [sys.executable, "-m", "nodule", "check", folder, *words],
        env=os.environ | {"PYTHONIOENCODING": "ascii", "COLUMNS": "400"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    said = done.stdout.decode("ascii")
    if words:
        assert json.loads(said)["series"][0]["description"] == "Größe 胸部"
    else:
        assert r"Gr\xf6\xdfe \u80f8\u90e8" in said
