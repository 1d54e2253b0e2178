"""Reading as a stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from nodule.progress import Progress, silent

if TYPE_CHECKING:
    from nodule.ct._series import SeriesSource
    from nodule.study import Study


@dataclass(frozen=True, kw_only=True)
class ReadCt:
    """Decode a chosen series to Hounsfield units.

    What to read is the input, a :class:`~nodule.ct._series.SeriesSource`, and its ``digest`` is
    the input's key, so there is nothing to configure.
    """

    name: ClassVar[str] = "read_ct"
    version: ClassVar[int] = 6

    def run(self, *, source: SeriesSource, progress: Progress = silent) -> Study:
        """Return the series as a trusted volume; raises as :func:`nodule.ct.read_source`.

        Of the origin the study knows nothing: it may come from a cache.
        """
        from nodule.ct._read import decode_source

        return decode_source(source, progress=progress)
