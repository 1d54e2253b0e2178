"""The exceptions that the package raises, each with a stable code.

A code is upper snake case and never changes its meaning, so that scripts may rely on it. A
message says what is wrong, what was expected, what was found and what to do next. It holds no
patient data: name things by UID, file name or digest.
"""

from __future__ import annotations


class NoduleError(Exception):
    """Root of everything that this package raises on purpose.

    Parameters
    ----------
    what : what is wrong, one clause without a full stop.
    code : stable upper snake case identifier, such as ``GANTRY_TILT``.
    expected, got : the value that was needed and the one that was found, where there is one.
    hint : what the user can do about it.
    """

    def __init__(
        self,
        what: str,
        *,
        code: str,
        expected: object = None,
        got: object = None,
        hint: str | None = None,
    ) -> None:
        self.what = what
        self.code = code
        self.expected = expected
        self.got = got
        self.hint = hint
        super().__init__(what)

    def __str__(self) -> str:
        """Return the whole message on one line, the code first."""
        text = f"{self.code}: {self.what}"
        if self.expected is not None:
            text += f"; expected {self.expected}"
        if self.got is not None:
            text += f"; got {self.got}"
        if self.hint is not None:
            text += f". {self.hint}"
        return text


class InputError(NoduleError):
    """An argument or an input file cannot be used."""


class UsageError(InputError):
    """What was asked for contradicts itself or names something that does not exist.

    The command ``nodule`` then exits with status 2, as for an unknown option.
    """


class DicomSeriesError(InputError):
    """A DICOM file or series is not a CT volume that can be trusted."""


class GeometryError(InputError):
    """Positions, spacings or directions do not describe a regular grid."""


class ConfigError(NoduleError):
    """A configuration file does not describe the objects it should."""


class WeightsError(NoduleError):
    """Network weights are missing, altered or made for another network."""


class CacheCorruptError(NoduleError):
    """A cache entry does not match its digest."""


class StageError(NoduleError):
    """A stage could not produce its output from valid input."""


class ReportError(NoduleError):
    """A report's file could not be made."""
