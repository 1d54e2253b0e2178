"""How long a study takes, against yardsticks of the same machine and hour."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from nodule.evaluate.speed._cost import Cost
    from nodule.evaluate.speed._speed_ratios import refuse_slower
    from nodule.evaluate.speed._study_speed import Benchmark, StageCost, benchmark

__all__ = ["Benchmark", "Cost", "StageCost", "benchmark", "refuse_slower"]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_cost": ["Cost"],
        "_speed_ratios": ["refuse_slower"],
        "_study_speed": ["Benchmark", "StageCost", "benchmark"],
    },
)
