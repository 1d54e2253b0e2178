"""What the software is for is said once, and alike wherever it is shown."""

import json
from dataclasses import asdict
from pathlib import Path

from typer.testing import CliRunner

from nodule.intended_use import INTENDED_USE
from pipelines.cli.main import app

README = Path(__file__).parents[2] / "README.md"


def plain(text: str) -> str:
    return " ".join(text.replace("’", "'").replace("**", "").split())


def test_the_command_says_all_of_it() -> None:
    said = plain(CliRunner().invoke(app, ["about"]).output)
    stated = asdict(INTENDED_USE)
    texts = (*stated.pop("not_for"), *stated.pop("limits").values(), *stated.values())
    assert len(texts) == 14
    for text in texts:
        assert plain(text) in said


def test_report_page_help_and_readme_say_the_same(written: Path) -> None:
    report = json.loads((written / "report.json").read_bytes())
    stated = asdict(INTENDED_USE.limits)
    assert report["limits"] == stated
    page = (written / "report.html").read_text(encoding="utf-8")
    for name in ("purpose", "use", "search", "sizes", "suspicion"):
        assert stated[name] in page
    help_text = plain(CliRunner().invoke(app, ["--help"]).output.replace("│", " "))
    assert plain(INTENDED_USE.limits.purpose) in help_text
    assert plain(INTENDED_USE.limits.purpose) in plain(README.read_text(encoding="utf-8"))


def test_it_says_what_it_is_not_for() -> None:
    words = " ".join(INTENDED_USE.not_for)
    for must in ("diagnosis", "children", "unread", "other disease", "other images than CT"):
        assert must in words
