"""What a terminal shows before, while and after stages run."""

import io

import pytest
from rich.console import Console

from pipelines.cli import _progress
from pipelines.cli._progress import StageBars
from pipelines.runner import Finished, Started


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_terminal_shows_at_once_that_files_are_looked_through(
    is_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=is_terminal, width=80)
    monkeypatch.setattr(_progress, "stderr_console", lambda: console)
    with StageBars("study"):
        before = shown.getvalue()
    assert ("looking through the files" in before) == is_terminal
    assert "study" not in shown.getvalue()  # an error before the first event stands alone
    assert shown.getvalue().endswith("\x1b[1A\x1b[2K" if is_terminal else "")  # erased


def test_the_first_stage_takes_the_place_of_the_first_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=80)
    monkeypatch.setattr(_progress, "stderr_console", lambda: console)
    with StageBars("study") as bars:
        bars.show(Started("lungs"))
        bars.show(Finished("lungs", 1.0))
    last = shown.getvalue().rpartition("study")[2]
    assert "lungs" in last
    assert "done" in last
    assert "looking through the files" not in last
