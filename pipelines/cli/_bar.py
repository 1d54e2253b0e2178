"""A bar on stderr for work that takes a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nodule.progress import Progress


@contextmanager
def bar(title: str) -> Iterator[Progress]:
    """Show a bar as long as the block runs, and yield what to tell the share done."""
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=1.0)
        yield lambda done: bars.update(task, completed=done)
