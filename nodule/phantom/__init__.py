"""A seeded synthetic chest CT with nodules of known size, kind and place.

>>> from nodule.phantom import make_phantom, random_spec
>>> phantom = make_phantom(random_spec(seed=7, size="small"))  # doctest: +SKIP
"""

from nodule.phantom.dicom_study import WrittenStudy, truth, write_nifti, write_study
from nodule.phantom.make import make_phantom
from nodule.phantom.spec import (
    DiseasePatch,
    NodulePlan,
    Phantom,
    PhantomNodule,
    PhantomSpec,
    demo_spec,
    random_spec,
)

__all__ = [
    "DiseasePatch",
    "NodulePlan",
    "Phantom",
    "PhantomNodule",
    "PhantomSpec",
    "WrittenStudy",
    "demo_spec",
    "make_phantom",
    "random_spec",
    "truth",
    "write_nifti",
    "write_study",
]
