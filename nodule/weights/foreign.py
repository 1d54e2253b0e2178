"""Weights from elsewhere as a beginning: read safely, mapped by name, told what became of each.

Read are safetensors files and what ``torch.save`` wrote, the latter by PyTorch's restricted
unpickler only, so that no file runs code. Networks trained elsewhere name the same layers behind
other prefixes: MedicalNet writes ``module.layer1.0.conv1.weight`` for what is
``backbone.layer1.0.conv1.weight`` here. The pair of prefixes, one dropped on each side, under which
most kernels agree by name and shape is taken.

A kernel that has more inputs here than in the file, such as of a network that sees one
magnification more, is *widened*: the file's inputs come first, and the kernels of the others are
zero, so that the network answers as the file's did until it has learned what the others say.

Nothing else is reshaped. Summing the three input channels of a colour stem into one keeps what a
network answers only where it was given one image three times, which a file does not state, so
that such a stem is reported as of another shape and left fresh.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nodule.errors import WeightsError
from nodule.weights import Weights, current_names, file_sha256

logger = logging.getLogger(__name__)

_WRAPPERS = ("state_dict", "model_state_dict", "model", "network", "net")
_DEPTH = 3  # parts of a name that may be a wrapper's


@dataclass(frozen=True, kw_only=True, eq=False)
class ForeignWeights:
    """Tensors by name, wherever they come from.

    Parameters
    ----------
    file : name of the file.
    sha256 : digest of the file.
    state : the tensors.
    training_patients : of weights that ``nodule train`` wrote; None where nobody knows.
    """

    file: str
    sha256: str
    state: Mapping[str, Tensor]
    training_patients: tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """What became of each tensor; the names of one network are all in one of the first four.

    Parameters
    ----------
    matched : the network's tensors that were filled.
    widened : those that were filled in the first of their inputs, and are zero in the others.
    fresh : the network's tensors that the file does not know.
    reshaped : the network's tensors that have another shape in the file, and were left as they
        are: by name the shapes in the file and in the network.
    unused : the file's tensors that the network does not know.
    dropped_prefix : what the names in the file begin with.
    added_prefix : what the names in the network begin with instead.
    """

    matched: tuple[str, ...]
    widened: tuple[str, ...]
    fresh: tuple[str, ...]
    reshaped: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]
    unused: tuple[str, ...]
    dropped_prefix: str
    added_prefix: str


def read_foreign(path: Path) -> ForeignWeights:
    """Read a safetensors file or a checkpoint of PyTorch, of ours or of others.

    A checkpoint may hold its tensors under ``state_dict``, ``model`` and the like, with other
    things beside them.

    Raises
    ------
    WeightsError : ``NO_WEIGHTS`` where there is no file, ``NOT_SAFETENSORS``, ``UNSAFE_PICKLE``
        where a checkpoint holds anything but tensors and plain values, ``BAD_CHECKPOINT`` where
        it cannot be read at all, ``NO_STATE_DICT`` where it holds no tensors by name.
    """
    if not path.is_file():
        raise WeightsError(f"there are no weights called {path.name}", code="NO_WEIGHTS")
    safe = path.suffix == ".safetensors"
    return ForeignWeights(
        file=path.name,
        sha256=file_sha256(path),
        state=_read_safetensors(path) if safe else _read_checkpoint(path),
        training_patients=_own_patients(path) if safe else None,
    )


def fill(network: nn.Module, foreign: ForeignWeights) -> Transfer:
    """Copy into a network what agrees by name and shape, and log what became of the rest.

    Raises
    ------
    WeightsError : ``NOTHING_MATCHES`` where no kernel agrees; the network is then untouched.
    """
    state = network.state_dict()
    dropped, added = _align(foreign.state, state)
    renamed = {added + name: tensor for name, tensor in _below(foreign.state, dropped)}
    transfer = _compare(foreign.state, state, renamed, dropped=dropped, added=added)
    if not any(state[name].ndim > 1 for name in transfer.matched):
        raise WeightsError(
            f"no kernel of {foreign.file} fits the network",
            code="NOTHING_MATCHES",
            expected=f"names and shapes such as {_example(state)}",
            got=_example(foreign.state),
            hint="Name the backbone that the weights are for",
        )
    with torch.no_grad():
        for name in transfer.matched:
            state[name].copy_(renamed[name])
        for name in transfer.widened:
            state[name].zero_()[:, : renamed[name].shape[1]].copy_(renamed[name])
    _log(foreign.file, transfer)
    return transfer


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state: dict[str, Tensor] = load_file(path)
    except SafetensorError as error:
        raise WeightsError(
            f"{path.name} is not a safetensors file", code="NOT_SAFETENSORS", got=str(error)
        ) from error
    return current_names(state)


def _own_patients(path: Path) -> tuple[str, ...] | None:
    try:
        return Weights.open(path).training_patients
    except WeightsError as error:
        if error.code != "FOREIGN_WEIGHTS":
            raise
        return None


def _read_checkpoint(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path.name} holds more than tensors and plain values",
            code="UNSAFE_PICKLE",
            hint="Save its state_dict alone, as safetensors, where you trust it",
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise WeightsError(
            f"{path.name} is not a PyTorch checkpoint",
            code="BAD_CHECKPOINT",
            hint="A TorchScript archive holds code; name the .pt with the state dict",
        ) from error
    return _unwrap(content, file=path.name)


def _unwrap(content: Any, *, file: str) -> dict[str, Tensor]:
    if isinstance(content, Mapping):
        for name in _WRAPPERS:
            if isinstance(content.get(name), Mapping):
                return _unwrap(content[name], file=file)
        tensors = {str(k): v for k, v in content.items() if isinstance(v, Tensor)}
        if tensors:
            return tensors
    raise WeightsError(
        f"{file} holds no tensors by name",
        code="NO_STATE_DICT",
        expected=f"a state dict, itself or under one of {list(_WRAPPERS)}",
    )


def _align(foreign: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> tuple[str, str]:
    """Return the prefixes to drop from the file's names and to add for the network's."""
    shapes = {name: tensor.shape for name, tensor in own.items() if tensor.ndim > 1}
    pairs = [(dropped, added) for dropped in _prefixes(foreign, _DEPTH) for added in _prefixes(own)]

    def agreeing(pair: tuple[str, str]) -> tuple[int, int]:
        dropped, added = pair
        below = _below(foreign, dropped)
        count = sum(shapes.get(added + name) == tensor.shape for name, tensor in below)
        return count, -len(dropped) - len(added)

    return max(pairs, key=agreeing)


def _prefixes(names: Iterable[str], depth: int = 1) -> list[str]:
    """Return every way in which a name begins, up to so many parts, the empty one first."""
    found = {""}
    for name in names:
        parts = name.split(".")[:-1]
        found.update("".join(f"{part}." for part in parts[:n]) for n in range(1, depth + 1))
    return sorted(found)


def _below(state: Mapping[str, Tensor], prefix: str) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in state.items():
        if name.startswith(prefix):
            yield name.removeprefix(prefix), tensor


def _compare(
    foreign: Mapping[str, Tensor],
    own: Mapping[str, Tensor],
    renamed: Mapping[str, Tensor],
    *,
    dropped: str,
    added: str,
) -> Transfer:
    both = [name for name in own if name in renamed]
    shapes = {name: (tuple(renamed[name].shape), tuple(own[name].shape)) for name in both}
    known = {dropped + name.removeprefix(added) for name in both}
    matched = tuple(name for name, (theirs, ours) in shapes.items() if theirs == ours)
    wider = tuple(name for name, (theirs, ours) in shapes.items() if _has_more_inputs(ours, theirs))
    return Transfer(
        matched=matched,
        widened=wider,
        fresh=tuple(name for name in own if name not in renamed),
        reshaped={k: pair for k, pair in shapes.items() if k not in {*matched, *wider}},
        unused=tuple(name for name in foreign if name not in known),
        dropped_prefix=dropped,
        added_prefix=added,
    )


def _has_more_inputs(ours: tuple[int, ...], theirs: tuple[int, ...]) -> bool:
    """Whether a kernel, [output, input, …], is that of the file but for further inputs."""
    if not len(ours) == len(theirs) > 1:
        return False
    return ours[1] > theirs[1] and (ours[0], *ours[2:]) == (theirs[0], *theirs[2:])


def _example(state: Mapping[str, Tensor]) -> str:
    name = next((name for name, tensor in state.items() if tensor.ndim > 1), "no kernel")
    return f"{name} {tuple(state[name].shape)}" if name in state else name


def _log(file: str, transfer: Transfer) -> None:
    logger.info(
        "%s: took %d tensors as %s* for %s*, widened %d, left %d fresh, %d of another shape; "
        "%d unused",
        file,
        len(transfer.matched),
        transfer.dropped_prefix,
        transfer.added_prefix,
        len(transfer.widened),
        len(transfer.fresh),
        len(transfer.reshaped),
        len(transfer.unused),
    )
    for name in transfer.fresh:
        logger.debug("fresh: %s", name)
    for name, (theirs, ours) in transfer.reshaped.items():
        logger.info("of another shape: %s is %s in the file, %s here", name, theirs, ours)
    for name in transfer.unused:
        logger.debug("unused: %s", name)
