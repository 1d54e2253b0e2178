"""Every command that a README, a card or a configuration shows exists, with its options."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from pipelines.cli.main import app

ROOT = Path(__file__).parents[3]
PAGES = [
    ROOT / "README.md",
    *(page for room in ("nodule", "pipelines", "configs") for page in ROOT.glob(f"{room}/**/*.md")),
    *ROOT.glob("configs/**/*.toml"),
]


def shown_in(text: str) -> Iterator[str]:
    """Yield the commands in a page's code: lines of a block or of comments, and inline."""
    joined = re.sub(r"\\\n\s*#?", " ", text)
    yield from re.findall(r"^(?:# +)?(nodule [a-z].*)$", joined, flags=re.MULTILINE)
    yield from re.findall(r"`(nodule [a-z][^`]*)`", joined)


COMMANDS = sorted(
    {
        line
        for page in PAGES
        if page.name != "CHANGELOG.md"  # which names what was
        for line in shown_in(page.read_text(encoding="utf-8"))
    }
)


def test_commands_are_found() -> None:
    assert len(COMMANDS) > 20


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_that_is_shown_exists_with_its_options(line: str) -> None:
    _, *words = shlex.split(line.replace("…", ""), comments=True)
    command = typer.main.get_command(app)
    while words and hasattr(command, "commands"):
        assert words[0].split("|")[0] in command.commands, line
        command = command.commands[words.pop(0).split("|")[0]]
    known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    options = [word.partition("=")[0] for word in words if re.match(r"-{1,2}[a-z]", word)]
    assert set(options) <= known, line
