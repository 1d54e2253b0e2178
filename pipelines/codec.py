"""Data types as files and back, without pickle.

A codec turns a value into named byte strings and back; the cache digests exactly those bytes.
Equal values give equal bytes, on any number of processors. Arrays are one blosc2 chunk (lz4) a
slice, made while they are written; all else is JSON that pydantic validates on the way in, so that
constructors check it again.
"""

from __future__ import annotations

import functools
import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")

_LEVEL = 1  # higher levels of lz4 save nothing of a chest CT
_MOST_ABOUT = 200  # bytes of type and shape
_LENGTH = struct.Struct("<Q")


@dataclass(frozen=True, eq=False)
class PackedArray:
    """An array as the bytes that :func:`unpack` reads, compressed slice by slice when iterated.

    Parameters
    ----------
    array : two axes or more; its type and shape are kept.
    """

    array: NDArray[Any]

    def __iter__(self) -> Iterator[bytes]:
        """Yield the type and the shape, then each slice behind its length."""
        about = {"dtype": self.array.dtype.str, "shape": self.array.shape}
        yield json.dumps(about).encode() + b"\n"
        for slice_ in self.array:
            # of nothing but zeros the library makes what it cannot always read
            chunk = self._chunk(slice_) if slice_.any() else b""
            yield _LENGTH.pack(len(chunk)) + chunk

    def _chunk(self, slice_: NDArray[Any]) -> bytes:
        import imagecodecs

        chunk = imagecodecs.blosc2_encode(
            slice_.tobytes(),
            level=_LEVEL,
            compressor="lz4",
            shuffle="shuffle",
            typesize=self.array.dtype.itemsize,
            # several threads would write blocks in the order in which they finish
            numthreads=1,
        )
        return bytes(chunk)

    def __bytes__(self) -> bytes:
        return b"".join(self)


Payload = bytes | PackedArray
Files = Mapping[str, Payload]


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


def from_json(data_type: Any, text: Payload) -> Any:
    """Read a value of a type, strictly."""
    return _adapter(data_type).validate_json(bytes(text), strict=True)


def unpack(packed: Payload) -> NDArray[Any]:
    """Return the array of a :class:`PackedArray`, or of the bytes that it yields.

    Raises
    ------
    ValueError : when the bytes are not such, or do not end with the array.
    """
    import imagecodecs

    content = memoryview(bytes(packed))
    start = bytes(content[:_MOST_ABOUT]).index(b"\n") + 1
    about = json.loads(bytes(content[:start]))
    array = np.empty(about["shape"], np.dtype(about["dtype"]))
    for slice_ in array:
        (length,) = _LENGTH.unpack_from(content, start)
        start += _LENGTH.size
        chunk = bytes(content[start : start + length])
        start += length
        if not chunk:
            slice_[...] = 0
            continue
        values = np.frombuffer(imagecodecs.blosc2_decode(chunk, numthreads=1), array.dtype)
        slice_[...] = values.reshape(slice_.shape)
    if start != len(content):
        raise ValueError("bytes follow an array")
    return array


@functools.cache
def _adapter(data_type: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(data_type)
