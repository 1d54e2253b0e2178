from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.batch import BatchProgress, Failure, StudyDone, run_studies
from pipelines.batch._outcomes import InTurn
from pipelines.interrupt import Interrupted
from pipelines.places import StudyPlace

Outcome = StudyDone | Failure
PLACES = tuple(StudyPlace(location=f"in/{n}") for n in range(6))
DONE = StudyDone(folder="s", findings=1, seconds={"whole": 2.0})


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.batch._batch_run._RETRY_DELAY_S", 0.01)


def hands(work: Callable[[StudyPlace], Outcome]) -> InTurn[StudyPlace, StudyDone]:
    return InTurn(work, lambda place: place.location)


def failure(place: StudyPlace, code: str) -> Failure:
    return Failure(study="s", code=code, message=code, file=place.location)


def test_a_batch_goes_on_where_it_stopped(tmp_path: Path) -> None:
    begun: list[str] = []

    def work(place: StudyPlace) -> Outcome:
        begun.append(place.location)
        if len(begun) == 3:
            raise Interrupted(15)
        return failure(place, "GANTRY_TILT") if place.location == "in/1" else DONE

    first = run_studies(PLACES, hands(work), out=tmp_path)
    assert first.done == 1
    assert first.interrupt is not None
    assert first.left == ("in/2", "in/3", "in/4", "in/5")
    second = run_studies(PLACES, hands(work), out=tmp_path)
    assert second.interrupt is None
    assert second.done == 5
    assert [each.code for each in second.failures] == ["GANTRY_TILT"]
    assert Counter(begun) == {
        "in/2": 2,
        **dict.fromkeys(("in/0", "in/1", "in/3", "in/4", "in/5"), 1),
    }
    run_studies(PLACES, hands(work), out=tmp_path)
    assert len(begun) == 7  # nothing is done twice
    run_studies(PLACES[:2], hands(work), out=tmp_path, again=True)
    assert begun[7:] == ["in/0", "in/1"]


@pytest.mark.parametrize(
    ("code", "attempts", "begun"),
    [("WORKER_LOST", 3, 3), ("WORKER_LOST", 1, 1), ("DISK_FAILED", 2, 2), ("MISSING_SLICES", 3, 1)],
)
def test_only_what_may_pass_is_tried_again(
    code: str, attempts: int, begun: int, tmp_path: Path
) -> None:
    tried: list[StudyPlace] = []

    def work(place: StudyPlace) -> Outcome:
        tried.append(place)
        return failure(place, code)

    summary = run_studies(PLACES[:1], hands(work), out=tmp_path, attempts=attempts)
    assert len(tried) == begun
    assert [each.code for each in summary.failures] == [code]


def test_a_study_that_recovers_is_done(tmp_path: Path) -> None:
    tried: list[StudyPlace] = []

    def work(place: StudyPlace) -> Outcome:
        tried.append(place)
        return failure(place, "WORKER_LOST") if len(tried) == 1 else DONE

    summary = run_studies(PLACES[:2], hands(work), out=tmp_path)
    assert (summary.done, summary.failures) == (2, ())
    assert [each.location for each in tried] == ["in/0", "in/1", "in/0"]


def test_progress_counts_what_was_done_before(tmp_path: Path) -> None:
    told: list[BatchProgress] = []
    run_studies(PLACES[:2], hands(lambda place: DONE), out=tmp_path)
    run_studies(PLACES[:4], hands(lambda place: DONE), out=tmp_path, tell=told.append)
    assert [(each.done, each.waiting, each.ended_now) for each in told] == [(3, 1, 1), (4, 0, 2)]


def test_rate_and_time_left_follow_from_what_ended() -> None:
    progress = BatchProgress(done=10, failed=2, waiting=6, ended_now=4, seconds=120.0)
    assert progress.per_hour == pytest.approx(120.0)
    assert progress.left_s == pytest.approx(180.0)
