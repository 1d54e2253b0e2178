"""Pseudonyms: stable under one key, unrelated under another, and made by a stated rule."""

import hashlib
import hmac
import os
import re
import uuid
from pathlib import Path

import pytest

from nodule.errors import InputError
from nodule.pseudonyms import Pseudonyms, read_key, read_or_make_key

KEY = b"an example, known to all"
ONE, OTHER = Pseudonyms(key=KEY), Pseudonyms(key=b"another example, and as long")


@pytest.mark.parametrize("kind", ["uid", "digest", "person", "folder"])
def test_equal_names_and_keys_alone_give_equal_pseudonyms(kind: str) -> None:
    make, make_other = getattr(ONE, kind), getattr(OTHER, kind)
    assert make("1.2.3") == getattr(Pseudonyms(key=KEY), kind)("1.2.3")
    assert len({make("1.2.3"), make("1.2.4"), make_other("1.2.3")}) == 3


def test_they_follow_the_stated_rule() -> None:
    """HMAC-SHA-256 (RFC 2104) of the kind, a zero byte and the name."""
    code = hmac.new(KEY, b"person\0P-17", hashlib.sha256).hexdigest()
    assert ONE.person("P-17") == f"person-{code[:16]}"
    code = hmac.new(KEY, b"digest\0ab", hashlib.sha256).hexdigest()
    assert ONE.digest("ab") == code


def test_a_uid_is_as_the_standard_wants_it() -> None:
    """PS3.5 B.2 and 9.1."""
    made = ONE.uid("1.2.840.99999." + "9" * 50)
    assert re.fullmatch(r"2\.25\.(0|[1-9]\d*)", made)
    assert len(made) <= 64
    assert uuid.UUID(int=int(made.removeprefix("2.25."))).variant == uuid.RFC_4122


def test_a_short_key_is_refused_and_a_key_is_never_shown() -> None:
    with pytest.raises(InputError, match="BAD_KEY"):
        Pseudonyms(key=b"fifteen bytes..")
    Pseudonyms(key=b"sixteen bytes...")
    assert "example" not in repr(ONE)


def test_a_key_is_drawn_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "key"
    first = read_or_make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_or_make_key(path) == first == read_key(path)
    assert read_or_make_key(tmp_path / "other") != first
    assert list(path.parent.iterdir()) == [path]


def test_racing_processes_draw_one_key(tmp_path: Path) -> None:
    children = []
    for number in range(8):
        pid = os.fork()
        if pid == 0:
            name = read_or_make_key(tmp_path / "key").person("P")
            (tmp_path / f"{number}.txt").write_text(name)
            os._exit(0)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 8
    assert len({path.read_text() for path in tmp_path.glob("*.txt")}) == 1
