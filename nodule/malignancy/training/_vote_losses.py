"""Losses for ratings on an ordered scale, by the votes of several readers.

Readers disagree, and their disagreement is data: a nodule's target is the share of readers who
gave each rating, never the rounded mean. The network answers with a softmax over the ratings, so
that any shape is possible (two readers at 1 and two at 5 included). Order enters through the loss.

Two proper scores are added. The cross-entropy of the votes is their log-likelihood. The ranked
probability score (Epstein 1969) compares cumulative distributions, so that a miss by one rating
costs less than a miss by four.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def vote_cross_entropy(logits: Tensor, votes: Tensor) -> Tensor:
    """Return the mean negative log-likelihood of a vote.

    Parameters
    ----------
    logits : [item, level].
    votes : [item, level], how many readers gave each rating; a row of zeros is not rated and
        contributes nothing, neither loss nor gradient.
    """
    cross_entropy = -(votes * functional.log_softmax(logits, dim=-1)).sum()
    return cross_entropy / votes.sum().clamp(min=1.0)


def ranked_probability_score(logits: Tensor, votes: Tensor) -> Tensor:
    """Return the mean squared distance of cumulative distributions, weighted by votes.

    Parameters and unrated rows as in :func:`vote_cross_entropy`. The score of one item lies
    between 0 and ``levels - 1``.
    """
    count = votes.sum(dim=-1, keepdim=True)
    target = votes / count.clamp(min=1.0)
    gap = (torch.softmax(logits, dim=-1) - target).cumsum(dim=-1)
    return (count[:, 0] * gap.square().sum(dim=-1)).sum() / count.sum().clamp(min=1.0)


def ordinal_loss(logits: Tensor, votes: Tensor) -> Tensor:
    """Return the sum of both scores; see the module."""
    return vote_cross_entropy(logits, votes) + ranked_probability_score(logits, votes)
