"""Scores of rating distributions agree with arithmetic by hand."""

import math

import pytest
import torch

from nodule.malignancy.training._vote_losses import (
    ordinal_loss,
    ranked_probability_score,
    vote_cross_entropy,
)

EVEN = torch.zeros(1, 5)


def test_cross_entropy_of_an_even_answer_is_the_logarithm_of_the_levels() -> None:
    votes = torch.tensor([[1.0, 0.0, 2.0, 1.0, 0.0]])
    assert vote_cross_entropy(EVEN, votes).item() == pytest.approx(math.log(5))


def test_every_vote_counts_once() -> None:
    logits = torch.tensor([[0.0, math.log(3.0)], [0.0, 0.0]])
    votes = torch.tensor([[0.0, 3.0], [1.0, 0.0]])
    # three votes at -ln(3/4), one at -ln(1/2)
    expected = (3 * math.log(4 / 3) + math.log(2)) / 4
    assert vote_cross_entropy(logits, votes).item() == pytest.approx(expected)


def test_ranked_probability_score_by_hand() -> None:
    votes = torch.tensor([[0.0, 0.0, 4.0, 0.0, 0.0]])
    # cumulative .2 .4 .6 .8 1 against 0 0 1 1 1
    expected = 0.2**2 + 0.4**2 + 0.4**2 + 0.2**2
    assert ranked_probability_score(EVEN, votes).item() == pytest.approx(expected)


def test_a_far_miss_costs_more_than_a_near_one() -> None:
    votes = torch.tensor([[0.0, 0.0, 0.0, 0.0, 1.0]])
    near = torch.tensor([[0.0, 0.0, 0.0, 9.0, 0.0]])
    far = torch.tensor([[9.0, 0.0, 0.0, 0.0, 0.0]])
    assert ordinal_loss(far, votes) > ordinal_loss(near, votes) + 2.9


@pytest.mark.parametrize("loss", [vote_cross_entropy, ranked_probability_score, ordinal_loss])
def test_unrated_items_give_neither_loss_nor_gradient(loss) -> None:  # type: ignore[no-untyped-def]
    rated = torch.tensor([[0.3, -0.2, 0.1, 0.0, 0.5]])
    votes = torch.tensor([[0.0, 1.0, 2.0, 0.0, 0.0]])
    logits = torch.cat([rated, torch.randn(1, 5)]).requires_grad_()
    both = loss(logits, torch.cat([votes, torch.zeros(1, 5)]))
    both.backward()
    assert both.item() == pytest.approx(loss(rated, votes).item())
    assert logits.grad is not None
    assert logits.grad[1].abs().max() == 0
    assert loss(rated, torch.zeros(1, 5)).item() == 0
