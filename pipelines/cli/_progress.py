"""Progress on stderr of work that takes a while."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodule.progress import Progress
from pipelines.cli._terminal import printable

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.runner import Event

_FIRST_WORDS = "looking through the files"


@functools.cache
def stderr_console() -> Console:
    """Return the one console on stderr, so that warnings and bars do not overwrite each other."""
    from rich.console import Console

    return Console(stderr=True)


@contextmanager
def bar(title: str) -> Iterator[Progress]:
    """Show a bar as long as the block runs, and yield what takes the share that is done."""
    from rich.progress import Progress as Bars

    with Bars(console=stderr_console(), transient=True) as bars:
        task = bars.add_task(title, total=1.0)
        yield lambda done: bars.update(task, completed=done)


def with_bar(paths: Sequence[Path], title: str) -> Iterator[Path]:
    """Yield the paths, and show with a bar how many are done."""
    with bar(title) as show:
        for done, path in enumerate(paths):
            show(done / len(paths))
            yield path


@contextmanager
def until_shown(words: str) -> Iterator[None]:
    """Show on a terminal what is done before there is anything else to show, and erase it."""
    from rich.live import Live
    from rich.text import Text

    with Live(Text(words), console=stderr_console(), transient=True, auto_refresh=False):
        yield


class StageBars:
    """A progress bar for each stage of one study, on stderr from the first event on.

    Until then a terminal shows that the files are looked through.
    """

    def __init__(self, title: str) -> None:
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        self._bars = Bars(
            TextColumn("{task.description:<12}"),
            BarColumn(),
            TextColumn("{task.fields[state]:>7}"),
            TimeElapsedColumn(),
            console=stderr_console(),
        )
        self._tasks: dict[str, Any] = {}
        self._title = title
        self._before = ExitStack()

    def __enter__(self) -> StageBars:
        self._before.enter_context(until_shown(_FIRST_WORDS))
        return self

    def __exit__(self, *_: object) -> None:
        self._before.close()
        if self._tasks:  # an error before the first event stands alone
            self._bars.stop()

    def show(self, event: Event) -> None:
        """Draw an event of the runner."""
        self._draw(event, "")

    def show_prior(self, event: Event) -> None:
        """Draw an event of the prior study's run, on bars of its own."""
        self._draw(event, "prior ")

    def _draw(self, event: Event, prefix: str) -> None:
        from pipelines.runner import Advanced, Finished, Hit, Started

        match event:
            case Hit(step):
                self._update(prefix + step, 1.0, "cached")
            case Started(step):
                self._update(prefix + step, 0.0, "")
            case Advanced(step, share):
                self._update(prefix + step, share, f"{share:.0%}")
            case Finished(step):
                self._update(prefix + step, 1.0, "done")
            case _:  # trouble with the cache is logged
                return

    def _update(self, step: str, share: float, state: str) -> None:
        if not self._tasks:
            self._before.close()
            self._bars.console.print(printable(self._title), highlight=False, markup=False)
            self._bars.start()
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(step, total=1.0, state=state)
        self._bars.update(self._tasks[step], completed=share, state=state)
