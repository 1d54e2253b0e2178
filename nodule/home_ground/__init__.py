"""Whether a study is one of those on which the networks' figures were measured."""

from nodule.home_ground._image_measures import ImageMeasures, measure_image, noise_and_grain
from nodule.home_ground._statement import (
    HomeGround,
    HomeReason,
    noise_excess,
    state_home_ground,
)

__all__ = [
    "HomeGround",
    "HomeReason",
    "ImageMeasures",
    "measure_image",
    "noise_and_grain",
    "noise_excess",
    "state_home_ground",
]
