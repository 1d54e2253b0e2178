"""The list of mutants fits the code, so that the command that tries them can run."""

import mutants
import pytest

LEAST, MUTANTS = mutants.read_list()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.title)
def test_a_mutant_fits_the_code(mutant: mutants.Mutant) -> None:
    assert mutant.misfit(mutants.ROOT) is None


def test_the_list_is_long_enough_and_nearly_all_must_die() -> None:
    kinds = [mutant.kind for mutant in MUTANTS]
    assert kinds.count("number") >= 40
    assert kinds.count("logic") >= 10
    assert 0.95 * len(MUTANTS) <= LEAST
    assert len({(mutant.file, mutant.old, mutant.new) for mutant in MUTANTS}) == len(MUTANTS)
