"""Which versions of this package and of what it requires are installed."""

from __future__ import annotations

import functools
import importlib.metadata
import re
from collections.abc import Mapping

from nodule._version import __version__

_PACKAGE = "nodule"


@functools.cache
def installed_packages() -> Mapping[str, str]:
    """Return the version of this package and of all that it requires, by name."""
    required = importlib.metadata.requires(_PACKAGE) or []
    names = {re.split(r"[^\w.-]", each, maxsplit=1)[0] for each in required if "extra" not in each}
    # the version of the code that runs, even if an older one was installed in its place
    return {_PACKAGE: __version__} | {name: _version(name) for name in sorted(names)}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"
