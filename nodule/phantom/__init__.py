"""A seeded synthetic chest CT with nodules of known size, kind and place.

>>> from nodule.phantom import make_phantom, random_spec
>>> phantom = make_phantom(random_spec(seed=7, size="small"))  # doctest: +SKIP
"""

from nodule.phantom.build import make_phantom
from nodule.phantom.spec import (
    NodulePlan,
    Phantom,
    PhantomNodule,
    PhantomSpec,
    random_spec,
)

__all__ = [
    "NodulePlan",
    "Phantom",
    "PhantomNodule",
    "PhantomSpec",
    "make_phantom",
    "random_spec",
]
