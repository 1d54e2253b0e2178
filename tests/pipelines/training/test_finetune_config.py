"""Phases and rates are arithmetic of the step alone."""

import pytest

from nodule.errors import ConfigError
from pipelines.training.finetune_config import Finetune
from pipelines.training.task import Loop

LOOP = Loop(epochs=6, steps_per_epoch=10, batch_size=1, learning_rate=1.0, warmup_steps=1)
FINETUNE = Finetune(phase_epochs=(1, 2, 3), phase_rates=(1.0, 0.5, 0.1), rate_decay=0.5)


def test_an_epoch_belongs_to_one_phase() -> None:
    assert [FINETUNE.phase(epoch) for epoch in range(7)] == [0, 1, 1, 2, 2, 2, 2]


def test_a_phase_without_epochs_is_skipped() -> None:
    assert [Finetune(phase_epochs=(0, 2, 1)).phase(epoch) for epoch in range(3)] == [1, 1, 2]
    assert Finetune(phase_epochs=(0, 0, 1)).phase(0) == 2


def test_a_rate_is_the_loops_times_its_phases_times_its_depths() -> None:
    # step 31 is in the middle of the half cosine from step 1 to 60, but for half a step
    loop_rate = LOOP.rate_factor(31)
    assert loop_rate == pytest.approx(0.5, abs=0.02)
    assert FINETUNE.rate_factor(31, depth=0, loop=LOOP) == pytest.approx(0.1 * loop_rate)
    assert FINETUNE.rate_factor(31, depth=3, loop=LOOP) == pytest.approx(0.1 * loop_rate / 8)
    assert FINETUNE.rate_factor(29, depth=0, loop=LOOP) == pytest.approx(0.5 * LOOP.rate_factor(29))


def test_phases_unfreeze_layers_from_the_end() -> None:
    two = Finetune(phase_epochs=(1, 1, 1), last_layers=2)
    assert [list(two.unfrozen(4, phase=phase)) for phase in range(3)] == [[], [2, 3], [0, 1, 2, 3]]
    assert list(two.unfrozen(1, phase=1)) == [0]


def test_refuses_phases_without_an_epoch() -> None:
    with pytest.raises(ConfigError, match="BAD_FINETUNE"):
        Finetune(phase_epochs=(0, 0, 0))


@pytest.mark.parametrize(
    "wrong",
    [
        {"phase_epochs": (-1, 2, 2)},
        {"phase_rates": (1.0, 0.0, 1.0)},
        {"last_layers": 0},
        {"rate_decay": 1.1},
        {"frozen_share": -0.1},
    ],
)
def test_refuses_what_is_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=rf"BAD_VALUE: {next(iter(wrong))}"):
        Finetune(**{"phase_epochs": (1, 1, 1), **wrong})  # type: ignore[arg-type]


def test_refuses_phases_of_another_length_than_the_loop() -> None:
    FINETUNE.check(LOOP)
    with pytest.raises(ConfigError, match=r"BAD_FINETUNE.*expected 6; got 3"):
        Finetune(phase_epochs=(1, 1, 1)).check(LOOP)
