"""What came of reading an input whose truth is known."""

import itertools
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np

from nodule.ct import read_ct
from nodule.errors import NoduleError
from nodule.hu import AIR_HU
from nodule.study import Study

MAX_ERROR_MM = 0.01
MAX_SECONDS = 10.0


class Outcome(StrEnum):
    """How a damaged input ended; only what is silently wrong is a fault."""

    REFUSED = "refused"
    WARNED = "warned"
    RIGHT = "read right"
    UNTOLD = "cannot tell"  # as nothing in the file contradicts it
    WRONG = "silently wrong"


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What was scanned.

    Parameters
    ----------
    hounsfield_zyx : NaN where nothing was measured.
    affine : 4x4, from index zyx to LPS mm.
    """

    hounsfield_zyx: np.ndarray
    affine: np.ndarray

    def agrees(self, study: Study, *, lost_slices: int = 0) -> bool:
        """Whether each voxel read is the one that lies there, and no more slices are lost."""
        shape = np.array(study.volume.geometry.shape_zyx)
        to_truth = np.linalg.inv(self.affine) @ study.volume.geometry.affine
        steps = np.rint(to_truth)
        corners = np.array([(*c, 1) for c in itertools.product(*((0, n - 1) for n in shape))])
        apart_mm = np.linalg.norm((self.affine @ (to_truth - steps) @ corners.T)[:3], axis=0)
        is_turned = (np.abs(steps[:3, :3]).sum(axis=0) == 1).all()
        if not (is_turned and apart_mm.max() <= MAX_ERROR_MM):  # which NaN is not
            return False
        index = np.tensordot(steps[:3, :3], np.indices(shape), 1) + steps[:3, 3, None, None, None]
        index = index.astype(int)
        limits = np.array(self.hounsfield_zyx.shape)[:, None, None, None]
        if (index < 0).any() or (index >= limits).any():
            return False
        expected = np.nan_to_num(self.hounsfield_zyx[tuple(index)], nan=AIR_HU)
        lost = self.hounsfield_zyx.size - expected.size
        return bool(
            np.array_equal(expected, study.volume.array_zyx)
            and lost <= lost_slices * self.hounsfield_zyx[0].size
        )


@dataclass
class Tally:
    """Counts of outcomes, and what was silently wrong."""

    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def read(self, path: Path, truth: Truth, *, name: str, lost_slices: int = 0) -> None:
        """Read an input and note what came of it; anything but a coded error is let through."""
        began = time.monotonic()
        try:
            study = read_ct(path)
        except NoduleError as error:
            outcome, code = Outcome.REFUSED, error.code
        else:
            codes = {w.code for w in study.warnings} - {"SHORT_COVERAGE"}
            outcome, code = Outcome.WARNED, "+".join(sorted(codes))
            if truth.agrees(study, lost_slices=lost_slices):
                outcome = Outcome.RIGHT
            elif not codes:
                outcome = Outcome.WRONG
                self.faults.append(name)
        assert time.monotonic() - began < MAX_SECONDS, name
        self.note(outcome, code)

    def note(self, outcome: Outcome, code: str = "") -> None:
        """Count one outcome, under its code where it has one."""
        self.counts[outcome] += 1
        self.codes[code] += 1
