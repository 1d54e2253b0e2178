"""Data types as files and back, without pickle.

A codec turns a value into named byte strings and back; the cache digests exactly those bytes.
Equal values give equal bytes, on any number of processors. Arrays are blosc2 frames (zstd);
all else is JSON that pydantic validates on the way in, so that constructors check it again.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Files = Mapping[str, bytes]
T = TypeVar("T")

_CLEVEL = 1  # higher levels save 1 % of a chest CT and take three times as long


class Codec(Protocol[T]):
    """How one data type is stored."""

    def encode(self, value: T) -> Files:
        """Return the files that hold a value, by name."""
        ...

    def decode(self, files: Files) -> T:
        """Return the value that the files hold; raise any exception where they hold none."""
        ...


Codecs = Mapping[Any, Codec[Any]]
"""Codecs by data type; a generic alias such as ``tuple[int, ...]`` is a data type too."""


@dataclass(frozen=True)
class JsonCodec(Generic[T]):
    """Stores what pydantic can validate: dataclasses, tuples and plain values.

    Parameters
    ----------
    data_type : the type, without which an empty tuple has no type.
    """

    data_type: Any

    def encode(self, value: T) -> Files:
        """Return ``value.json``."""
        return {"value.json": to_json(self.data_type, value)}

    def decode(self, files: Files) -> T:
        """Validate ``value.json``."""
        value: T = from_json(self.data_type, files["value.json"])
        return value


def to_json(data_type: Any, value: object) -> bytes:
    """Write a value of a type; floats exactly, another type than the one named is refused."""
    adapter = _adapter(data_type)
    return adapter.dump_json(adapter.validate_python(value, strict=True), indent=1)


def from_json(data_type: Any, text: bytes) -> Any:
    """Read a value of a type, strictly."""
    return _adapter(data_type).validate_json(text, strict=True)


def pack(array: NDArray[Any]) -> bytes:
    """Compress an array without loss; its type and shape are kept."""
    import blosc2

    cparams = {
        "codec": blosc2.Codec.ZSTD,
        "clevel": _CLEVEL,
        "filters": [blosc2.Filter.SHUFFLE],
        "filters_meta": [0],
        # several threads would write blocks in the order in which they finish
        "nthreads": 1,
        "typesize": array.dtype.itemsize,
    }
    packed = blosc2.asarray(
        np.ascontiguousarray(array),
        chunks=(1, *array.shape[1:]),
        cparams=cparams,
        dparams={"nthreads": 1},
    )
    frame: bytes = packed.to_cframe()
    return frame


def unpack(frame: bytes) -> NDArray[Any]:
    """Undo :func:`pack`."""
    import blosc2

    array: NDArray[Any] = blosc2.ndarray_from_cframe(frame)[:]
    return array


@functools.cache
def _adapter(data_type: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(data_type)
