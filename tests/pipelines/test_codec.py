import struct
import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from pipelines.codec import JsonCodec, PackedArray, unpack


@pytest.mark.parametrize("value", ["text", (1, "two"), [1], (True,), None])
def test_no_codec_stores_another_type(value: object) -> None:
    with pytest.raises(ValidationError):
        JsonCodec(tuple[int, ...]).encode(value)


_PACK = """
import hashlib, os, sys
os.sched_setaffinity(0, list(os.sched_getaffinity(0))[: int(sys.argv[1])])
import numpy as np
from pipelines.codec import PackedArray
array = np.random.default_rng(3).integers(-1000, 400, (16, 256, 256)).astype(np.int16)
sys.stdout.write(hashlib.sha256(bytes(PackedArray(array))).hexdigest())
"""


def test_equal_arrays_give_equal_bytes_on_any_number_of_processors() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", _PACK, str(processors)], capture_output=True, check=True
        ).stdout
        for processors in (1, 2)
    }
    assert len(digests) == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_packed_arrays_keep_type_and_shape(dtype: type) -> None:
    array = np.arange(2 * 3 * 5).reshape(2, 3, 5).astype(dtype)[:, ::-1]
    np.testing.assert_array_equal(unpack(bytes(PackedArray(array))), array, strict=True)


@pytest.mark.parametrize("cut", [1, -1])
def test_no_array_is_read_from_bytes_that_are_cut_or_followed_by_others(cut: int) -> None:
    packed = bytes(PackedArray(np.arange(24, dtype=np.int16).reshape(2, 3, 4)))
    with pytest.raises((ValueError, RuntimeError, struct.error)):
        unpack(packed + b"x" if cut > 0 else packed[:cut])


@pytest.mark.parametrize("edge", [1, 15, 181, 350, 512])
@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int16, np.float16, np.float32])
@pytest.mark.parametrize("value", [0, 1, -1])
def test_even_slices_come_back_whatever_their_size(edge: int, dtype: type, value: int) -> None:
    array = np.full((2, edge, edge), value).astype(dtype)
    array[1, edge // 2, 0] = 1
    np.testing.assert_array_equal(unpack(bytes(PackedArray(array))), array, strict=True)
