import itertools
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import fault_layer
import pytest
import toy_flows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_flows import INTEGERS, number, toy_flow

from nodule.errors import CacheCorruptError
from pipelines.cache import Cache, NotCached
from pipelines.codec import JsonCodec
from pipelines.fingerprint import Recipe
from pipelines.runner import run_flow

RECIPE = Recipe(
    stage="toy", version=1, constants={"toy.LIMIT": "3"}, fields={"by": 1}, inputs={"number": "k"}
)
OTHER = Recipe(
    stage="toy", version=1, constants={"toy.LIMIT": "3"}, fields={"by": 2}, inputs={"number": "k"}
)
CODEC = JsonCodec[int](int)
PAYLOAD = {"value.json": b"41", "more.bin": bytes(range(256))}


def store(cache: Cache, recipe: Recipe = RECIPE, *, used_at: float | None = None) -> Path:
    cache.store(recipe, PAYLOAD, seconds=1.5)
    folder = cache.root / "entries-v3" / recipe.key
    if used_at is not None:
        os.utime(folder, (used_at, used_at))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    files = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def payloads(cache: Cache) -> dict[str, bytes]:
    """Return everything visible but the descriptions, which tell each run's own seconds."""
    visible = contents(cache.root / "entries-v3")
    return {name: data for name, data in visible.items() if not name.endswith("entry.json")}


def test_gives_back_what_was_stored(cache: Cache) -> None:
    store(cache)
    assert cache.has(RECIPE.key)
    assert cache.load(RECIPE.key, CODEC) == 41


def test_describes_what_it_holds(tmp_path: Path) -> None:
    cache = Cache(tmp_path, packages={"numpy": "2.0"})
    store(cache)
    (entry,) = cache.entries()
    assert entry.recipe == RECIPE
    assert entry.seconds == 1.5
    assert entry.size == 258
    assert entry.packages == {"numpy": "2.0"}


def test_a_missing_entry_is_told_apart(cache: Cache) -> None:
    assert not cache.has(RECIPE.key)
    with pytest.raises(NotCached):
        cache.load(RECIPE.key, CODEC)


def test_an_entry_that_is_there_stays(cache: Cache) -> None:
    folder = store(cache)
    before = contents(folder)
    cache.store(RECIPE, PAYLOAD, seconds=99.0)
    assert contents(folder) == before
    assert list((cache.root / "partial").iterdir()) == []


# R9: corruption


def assert_detected(cache: Cache, folder: Path) -> None:
    with pytest.raises(CacheCorruptError, match="CACHE_CORRUPT"):
        cache.load(folder.name, CODEC)
    assert not cache.has(folder.name)
    assert len(list((cache.root / "corrupt").iterdir())) == 1


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_every_bit_flip_is_detected(tmp_path: Path, data: st.DataObject) -> None:
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    cache = Cache(tmp_path / "cache")
    folder = store(cache)
    path = data.draw(st.sampled_from(sorted(folder.iterdir())))
    content = bytearray(path.read_bytes())
    position = data.draw(st.integers(0, len(content) * 8 - 1))
    content[position // 8] ^= 1 << position % 8
    path.write_bytes(content)
    assert_detected(cache, folder)


@pytest.mark.parametrize("name", ["entry.json", "value.json", "more.bin"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_every_truncation_is_detected(cache: Cache, name: str, share: float) -> None:
    folder = store(cache)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: int(share * len(content))])
    assert_detected(cache, folder)


@pytest.mark.parametrize("name", ["entry.json", "value.json", "more.bin"])
def test_a_missing_file_is_detected(cache: Cache, name: str) -> None:
    folder = store(cache)
    (folder / name).unlink()
    assert_detected(cache, folder)


def test_a_swapped_entry_is_detected(cache: Cache) -> None:
    one, other = store(cache), store(cache, OTHER)
    shutil.rmtree(one)
    other.rename(one)
    assert_detected(cache, one)


def test_an_entry_with_a_forged_recipe_is_detected(cache: Cache) -> None:
    folder = store(cache)
    path = folder / "entry.json"
    path.write_text(path.read_text().replace('"by": 1', '"by": 2'))
    assert_detected(cache, folder)


def test_whole_bytes_that_do_not_decode_count_as_corrupt(cache: Cache) -> None:
    folder = cache.root / "entries-v3" / RECIPE.key
    cache.store(RECIPE, {"value.json": b'"no integer"'}, seconds=0.0)
    assert_detected(cache, folder)


def test_verify_tells_the_corrupt_from_the_whole(cache: Cache) -> None:
    store(cache)
    (store(cache, OTHER) / "more.bin").write_bytes(b"")
    verdicts = cache.verify()
    assert verdicts[RECIPE.key] is None
    assert isinstance(verdicts[OTHER.key], CacheCorruptError)
    assert cache.keys() == (RECIPE.key,)


# pruning


def test_a_folder_in_place_of_a_file_is_corrupt(cache: Cache) -> None:
    description = next(path for path in store(cache).iterdir() if path.name not in PAYLOAD)
    description.unlink()
    description.mkdir()
    (verdict,) = cache.verify().values()
    assert verdict is not None
    assert verdict.code == "CACHE_CORRUPT"


def test_prunes_by_age(cache: Cache) -> None:
    store(cache, used_at=time.time() - 100)
    store(cache, OTHER)
    assert cache.prune(max_age_s=50).keys == (RECIPE.key,)
    assert cache.keys() == (OTHER.key,)


def test_prunes_the_longest_unused_first(cache: Cache) -> None:
    store(cache, used_at=1e9)
    store(cache, OTHER, used_at=2e9)
    assert cache.prune(max_size=258).keys == (RECIPE.key,)


def test_a_hit_counts_as_use(cache: Cache) -> None:
    store(cache, used_at=1e9)
    cache.load(RECIPE.key, CODEC)
    assert time.time() - cache.last_used(RECIPE.key) < 60


def test_entries_of_another_layout_are_left_alone_until_they_are_pruned(cache: Cache) -> None:
    cache.store(RECIPE, {"value.json": b"1"}, seconds=0.0)
    old = cache.root / "entries" / RECIPE.key
    old.mkdir(parents=True)
    (old / "entry.json").write_text("{}")
    assert cache.verify() == {RECIPE.key: None}
    assert [entry.recipe for entry in cache.entries()] == [RECIPE]
    assert old.is_dir()
    assert cache.prune().leftovers == 1
    assert not old.parent.exists()
    assert cache.keys() == (RECIPE.key,)


def test_prunes_leftovers_but_no_folder_that_may_have_a_writer(cache: Cache) -> None:
    store(cache)
    (cache.root / "corrupt" / "a").mkdir(parents=True)
    old, young = cache.root / "partial" / "old", cache.root / "partial" / "young"
    for folder in (old, young):
        folder.mkdir()
        (folder / "value.json").write_text("4")
    os.utime(old, (1e9, 1e9))
    assert cache.prune().leftovers == 2
    assert young.is_dir()
    assert cache.keys() == (RECIPE.key,)


# R11: disk full, read-only


def test_a_full_disk_leaves_nothing_half_written(cache: Cache) -> None:
    store(cache, OTHER)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            cache.store(RECIPE, {"big.bin": bytes(8192)}, seconds=0.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert cache.keys() == (OTHER.key,)
    assert list((cache.root / "partial").iterdir()) == []


@pytest.mark.parametrize(
    "fault",
    [fault_layer.kill_this_process, fault_layer.refuse_for_space],
    ids=["kill", "full disk"],
)
def test_a_fault_at_any_call_stores_a_whole_entry_or_none(
    cache: Cache, fault: Callable[[], None]
) -> None:
    """R7, R11: each folder, file, write, synchronisation and rename."""
    store(cache, OTHER)
    stored = []

    def look() -> None:
        assert set(cache.verify().values()) == {None}
        assert cache.load(OTHER.key, CODEC) == 41
        stored.append(cache.has(RECIPE.key))
        cache.prune(max_age_s=None, max_size=None)
        shutil.rmtree(cache.root / "entries-v3" / RECIPE.key, ignore_errors=True)

    codes = fault_layer.fault_at_every_call(lambda: store(cache), look, fault=fault)
    assert len(codes) > 10
    assert set(stored) == {False, True}  # the name of what is whole is synchronised last
    assert cache.load(RECIPE.key, CODEC) == 41  # the one without a fault


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_cache_still_gives_what_it_holds(cache: Cache) -> None:
    folder = store(cache)
    for path in (folder, cache.root / "entries-v3", cache.root / "partial", cache.root):
        path.chmod(0o555)
    assert cache.load(RECIPE.key, CODEC) == 41
    with pytest.raises(PermissionError):
        cache.store(OTHER, PAYLOAD, seconds=0.0)
    for path in (cache.root, cache.root / "partial", cache.root / "entries-v3", folder):
        path.chmod(0o755)


def test_a_failing_synchronisation_leaves_nothing(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store(cache)
    assert cache.keys() == ()


# R7, R8: killed and racing processes

Launch = Callable[[Path, float], "subprocess.Popen[str]"]


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    def start(out: Path, slowness_s: float) -> subprocess.Popen[str]:
        script = str(Path(toy_flows.__file__))
        arguments = [str(tmp_path / "cache"), str(out), str(slowness_s)]
        return subprocess.Popen(
            [sys.executable, script, *arguments], stdout=subprocess.PIPE, text=True
        )

    return start


def test_killed_at_random_moments_it_resumes_to_the_same_bytes(
    cache: Cache, tmp_path: Path, launch: Launch
) -> None:
    reference = Cache(tmp_path / "reference")
    run_flow(toy_flow(), number(20), wanted=["pair"], cache=reference, codecs=INTEGERS)
    rng = random.Random(7)
    finished_so_far = []
    for _ in range(6):
        process = launch(tmp_path / "out", 0.2)
        time.sleep(rng.uniform(0.2, 1.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        finished = set(cache.keys())
        assert cache.verify() == dict.fromkeys(finished)  # all that is visible is whole
        finished_so_far.append(finished)
    assert all(before <= after for before, after in itertools.pairwise(finished_so_far))
    process = launch(tmp_path / "out", 0.2)
    ran, _ = process.communicate()
    assert len(ran.split()) == 4 - len(finished_so_far[-1])  # finished stages are not redone
    assert (tmp_path / "out").read_text() == "(40, 21)"
    assert payloads(cache) == payloads(reference)


def test_racing_processes_agree(cache: Cache, tmp_path: Path, launch: Launch) -> None:
    outs = [tmp_path / f"out{i}" for i in range(4)]
    processes = [launch(out, 0.05) for out in outs]
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0] * 4
    assert {out.read_text() for out in outs} == {"(40, 21)"}
    assert len(cache.keys()) == 4
    assert cache.verify() == dict.fromkeys(cache.keys())
    assert list((cache.root / "partial").iterdir()) == []


def test_writers_of_one_entry_racing_many_times_leave_one(cache: Cache) -> None:
    barrier = threading.Barrier(4)
    failures: list[BaseException] = []

    def write() -> None:
        barrier.wait()
        try:
            for _ in range(20):
                cache.store(RECIPE, PAYLOAD, seconds=0.0)
                cache.load(RECIPE.key, CODEC)
        except BaseException as error:  # told in the main thread
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert cache.keys() == (RECIPE.key,)


def test_what_it_says_of_itself_is_plain_json(cache: Cache) -> None:
    document = json.loads((store(cache) / "entry.json").read_text())
    assert document["entry"]["recipe"]["stage"] == "toy"


def test_stores_where_folders_cannot_be_opened(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, which has no O_DIRECTORY and denies opening a folder."""

    def deny(path: Path, *_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.delattr(os, "O_DIRECTORY")
    monkeypatch.setattr(os, "open", deny)
    store(cache)
    assert cache.load(RECIPE.key, CODEC) == 41


@pytest.mark.parametrize(("age_s", "leftovers"), [(3590.0, 0), (3610.0, 1)])
def test_a_folder_may_have_a_writer_for_an_hour(cache: Cache, age_s: float, leftovers: int) -> None:
    folder = cache.root / "partial" / "0123"
    folder.mkdir(parents=True)
    then = time.time() - age_s
    os.utime(folder, (then, then))
    assert cache.prune().leftovers == leftovers
    assert folder.exists() == (leftovers == 0)
