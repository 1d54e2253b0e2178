import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nodule.errors import UsageError
from pipelines.batch import BatchProgress, Failure, StudyDone, run_studies
from pipelines.batch._ray_workers import RayWorkers
from pipelines.places import StudyPlace

pytest.importorskip("ray")


def made(folder: Path) -> Callable[[StudyPlace], StudyDone | Failure]:
    """Return work that writes which process did it, and does what the place is called."""

    def work(place: StudyPlace) -> StudyDone | Failure:
        name = place.location.rpartition("/")[2]
        with (folder / name).open("a") as file:
            file.write(f"{os.getpid()}\n")
        begun = len((folder / name).read_text().splitlines())
        if name == "dies" or (name == "dies-once" and begun == 1):
            os.kill(os.getpid(), signal.SIGKILL)
        if name == "hangs":
            time.sleep(600)
        if name == "bad":
            return Failure(study=name, code="GANTRY_TILT", message="x", file=place.location)
        time.sleep(0.3)
        return StudyDone(folder=name, findings=0, seconds={})

    return work


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning")
def test_what_a_worker_loses_is_tried_again_and_then_set_aside(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    seen.mkdir()
    names = ("a", "dies", "b", "dies-once", "hangs", "bad", "c", "d")
    places = [StudyPlace(location=f"in/{name}") for name in names]
    with RayWorkers(made(seen), use_gpus=False, count=2, study_limit_s=5.0) as workers:
        assert workers.size == 2
        summary = run_studies(places, workers, out=tmp_path / "out", attempts=2)
    assert summary.done == 5  # a, b, c, d and dies-once
    codes = {each.file.rpartition("/")[2]: each.code for each in summary.failures}
    assert codes == {"dies": "WORKER_LOST", "hangs": "TIMED_OUT", "bad": "GANTRY_TILT"}
    begun = {file.name: file.read_text().splitlines() for file in seen.iterdir()}
    assert {name: len(pids) for name, pids in begun.items()} == {
        **dict.fromkeys(("a", "b", "c", "d", "bad"), 1),
        **dict.fromkeys(("dies", "dies-once", "hangs"), 2),
    }
    assert len({pid for pids in begun.values() for pid in pids}) > 2  # lost ones came back


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning")
def test_studies_of_a_node_that_dies_are_done_on_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two nodes of one processor each on this machine; the second is killed at work."""
    from ray.cluster_utils import Cluster

    monkeypatch.setattr("pipelines.batch._ray_workers.START_LIMIT_S", 10.0)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    second = cluster.add_node(num_cpus=1)
    done: list[int] = []

    def tell(progress: BatchProgress) -> None:
        done.append(progress.done)
        if progress.done == 2:
            cluster.remove_node(second, allow_graceful=False)

    places = [StudyPlace(location=f"in/{n}") for n in range(12)]
    seen = tmp_path / "seen"
    seen.mkdir()
    try:
        with RayWorkers(made(seen), use_gpus=False, address=cluster.address) as workers:
            assert workers.size == 2
            summary = run_studies(places, workers, out=tmp_path / "out", tell=tell)
    finally:
        cluster.shutdown()
    assert (summary.done, summary.failures) == (12, ())
    assert done[-1] == 12


def test_without_ray_the_user_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match="NO_BATCH_PACKAGES"):
        RayWorkers(made(Path()), use_gpus=False)
