"""ACR Lung-RADS v2022 and v1.1: one category for a low-dose CT of lung-cancer screening.

The category of an exam is that of its most suspicious lesion. Limits are in mean diameter to
0.1 mm; where there are no axes, in volume to whole mm³. Where both exist the axes decide and a
caveat says when the volume would decide otherwise.

Never set here: 4X and the modifier S, and 0. They are offered; :class:`ReaderStatement` sets them.

Decisions, where the ACR's table leaves a choice
------------------------------------------------
* **Rounding ties** go upwards, in decimals: axes of 5.9 and 6.0 mm are 6.0 mm, category 3.
* **Lymph-node shape** (juxtapleural; v1.1: perifissural only) is benign strictly below 10 mm, also
  when followed and unchanged; growing, it is read as a solid nodule.
* **New part-solid below 6 mm with a solid component of 4 mm or more** meets 3 and 4B: 4B.
* **The temporal status of a part-solid nodule is that of its solid component.** Growth of its
  ground-glass alone is read by size. A component that appears in a ground-glass nodule grows.
* **A growing solid component below 4 mm** is 4A, whatever the total diameter.
* **Ground-glass of 30 mm or more that grows** is listed nowhere: 3. Unchanged or slow, it is 2 at
  once, without a step at 6 months.
* **Growth** is more than 1.5 mm of mean diameter, within 12 months in v2022: at up to 12 months
  the plain difference; over a longer interval the difference per 12 months. What exceeds 1.5 mm in
  all but not per 12 months grows slowly: read by size, and 4B is offered for solid and part-solid
  nodules. v1.1 knows no window. The "2 mm³" printed beside it is no limit for volumes; two volumes
  are compared by the diameters of their spheres.
* **A higher size class without growth** (note 5) is read by size and takes no step down.
* **Steps down.** v2022: stable or smaller, 3 becomes 2 at 6 months, 4A becomes 3 at 3 months; one
  step an exam, months rounded to whole ones. v1.1: 3 and 4 unchanged for 3 months become 2. Until
  then, and for 4B in v2022, the earlier category stays, since size classes are for first sight and
  enlargement; where the nodule shrank, the category by size is offered. A nodule that grows, slowly
  or not, is never below its earlier category.
* **Airway nodules**: segmental or more proximal 4A at first sight, 4B when they persist, never
  down. Subsegmental ones are 2; growing, which is not listed, they are read as growing solid
  nodules. v1.1 knows "endobronchial", always 4A.
* **Cysts**: thin-walled unilocular, fluid-filled or multiple ones are not classified. A cavity is a
  solid nodule of its total diameter and a nodule beside a cyst a nodule: give them as such. v1.1
  does not speak of cysts: out of scope.
* **Of several lesions of the highest category** the largest stands for the exam: by mean diameter,
  or the diameter of the sphere where there are no axes.
* **0 stated by the reader** stands for the exam, and a caveat keeps what it would have been. 4X and
  S wait for a category where facts are missing, and a caveat says so.
* **A lesion that lacks facts** leaves the exam without a category, unless another one is 4B, which
  nothing else can exceed; what the others make it is offered.
* **A solid part of which nothing can be measured** is below every limit: 3 at baseline, 4A where it
  is new or grows. **Calcium** may be benign: category 1 is offered, and set by the reader alone.
* Lung-RADS names no age. Nobody under 18 years is screened: out of scope. Outside the 50 to 80
  years of USPSTF 2021 a caveat says so. A known cancer makes the scan a surveillance, not a
  screening: out of scope.
"""

from nodule.guidelines.lung_rads.lesions import (
    AirwayNodule,
    Cyst,
    Lesion,
    Prior,
    ScreenedNodule,
)
from nodule.guidelines.lung_rads.whole_exam import (
    ReaderStatement,
    classify_exam,
    classify_lesion,
    refuse,
)

__all__ = [
    "AirwayNodule",
    "Cyst",
    "Lesion",
    "Prior",
    "ReaderStatement",
    "ScreenedNodule",
    "classify_exam",
    "classify_lesion",
    "refuse",
]
