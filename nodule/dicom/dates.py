"""When something was written or said, as files state it."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from nodule.errors import UsageError

_CLOCK = "SOURCE_DATE_EPOCH"  # of reproducible-builds.org, seconds since 1970


def writing_time() -> datetime:
    """Return the time at which objects are written, or what ``SOURCE_DATE_EPOCH`` sets it to.

    Raises
    ------
    UsageError : ``BAD_CLOCK``.
    """
    given = os.environ.get(_CLOCK)
    if given is None:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(given), UTC)
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"the time in {_CLOCK} is not valid",
            code="BAD_CLOCK",
            expected="whole seconds since 1970",
            got=given,
        ) from None


def local_date_and_time(when: datetime) -> tuple[str, str]:
    """Return a moment as DA and TM in this computer's time zone, as the scanner's times are."""
    here = when.astimezone()
    return here.strftime("%Y%m%d"), here.strftime("%H%M%S")


def dicom_time(when: datetime) -> str:
    """Return a moment with its offset from UTC, to the second."""
    return when.strftime("%Y%m%d%H%M%S%z")
