"""What reaches the terminal: text that cannot steer it."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
import unicodedata
from collections.abc import Iterator
from typing import Any, cast

import typer
from typer.core import TyperGroup

from nodule.errors import UsageError

_STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories of control, format (such as turning the direction) and line separation."""


# every wrong usage; typer names only this subclass in public
_WRONG_USAGE = cast("type[typer.BadParameter]", typer.BadParameter.__base__)


def printable(text: str, *, keep: str = "") -> str:
    r"""Return text with every character that steers a terminal as an escape such as ``\x1b``.

    Headers and file names may hold such characters, to hide or to fake what is shown.

    Parameters
    ----------
    text : from anywhere.
    keep : characters that stay.
    """
    return "".join(
        each.encode("unicode_escape").decode("ascii")
        if each not in keep and unicodedata.category(each) in _STEERING
        else each
        for each in text
    )


def escape_what_cannot_be_shown() -> None:
    """Let a terminal of few characters, as under ``LC_ALL=C``, show the others as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Print lines on stdout."""
    typer.echo(printable(text, keep="\n"))


def say_json(text: str) -> None:
    """Print JSON on stdout, with what would steer the terminal escaped as JSON has it.

    So is what the terminal has no characters for.
    """
    shown = "".join(map(_json_character, text))
    try:
        shown.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        shown = "".join(c if c.isascii() else json.dumps(c)[1:-1] for c in shown)
    typer.echo(shown)


def say_error(text: str) -> None:
    """Print one line on stderr."""
    typer.echo(printable(text), err=True)


def in_markup(text: str) -> str:
    """Return text for Rich to print: neither it nor the terminal finds anything to obey."""
    from rich.markup import escape

    return escape(printable(text))


def _json_character(each: str) -> str:
    steers = each != "\n" and unicodedata.category(each) in _STEERING
    return json.dumps(each)[1:-1].replace("\x7f", "\\u007f") if steers else each


class PrintableMessages(logging.Filter):
    """Makes the message of every record of a log handler printable."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        record.msg, record.args = printable(record.getMessage()), None
        return True


class CodedGroup(TyperGroup):
    """A group of commands whose complaints about arguments are errors with a code, on one line."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Parse the group's own arguments."""
        with _coded_faults():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Parse a command's arguments, and run it."""
        with _coded_faults():
            return super().invoke(ctx)


@contextlib.contextmanager
def _coded_faults() -> Iterator[None]:
    try:
        yield
    except _WRONG_USAGE as fault:
        context = fault.ctx
        if type(fault).__name__ == "NoArgsIsHelpError":  # which shows the help
            raise
        raise UsageError(
            " ".join(fault.format_message().rstrip(".").split()),
            code="WRONG_USAGE",
            hint=None if context is None else f"See {context.command_path} --help.",
        ) from None
