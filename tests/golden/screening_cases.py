"""A grid of nodules and people through the rule sets for screening: Lung-RADS and NELSON."""

from collections.abc import Iterator
from typing import Any

import answers
from answers import NoduleFacts, Person, Size, Volumetry, lung_rads, nelson

Cases = Iterator[tuple[str, Any]]
PERSON = Person(age_years=61, route="screening", known_cancer=False)
PEOPLE = {
    "route unknown": Person(age_years=61),
    "incidental": Person(age_years=61, route="incidental"),
    "known cancer": Person(age_years=61, route="screening", known_cancer=True),
    "17 years": Person(age_years=17, route="screening"),
    "49 years": Person(age_years=49, route="screening"),
    "50 years": Person(age_years=50, route="screening"),
    "75 years": Person(age_years=75, route="screening"),
    "76 years": Person(age_years=76, route="screening"),
    "81 years": Person(age_years=81, route="screening"),
    "age unknown": Person(route="screening"),
}
AXES_MM = (3.9, 4.0, 5.9, 6.0, 7.9, 8.0, 14.9, 15.0, 29.9, 30.0)
VOLUMES_MM3 = (33.4, 33.5, 112.4, 112.5, 267.4, 267.5, 1766.4, 1766.5)
SOLID = NoduleFacts(id="N1", composition="solid", size=Size(axes_mm=(9.0, 9.0)))


def axes(mm: float, other: float | None = None) -> Size:
    return Size(axes_mm=(mm, other or mm))


def volume(mm3: float) -> Size:
    return Size(volume_mm3=mm3)


def part_solid(mm: float, component_mm: float | None) -> NoduleFacts:
    return NoduleFacts(
        id="N1",
        composition="part-solid",
        size=axes(mm),
        solid_component=None if component_mm is None else axes(component_mm),
    )


def nodules() -> Iterator[tuple[str, NoduleFacts]]:
    """Name every nodule that is classed at first sight."""
    for mm in AXES_MM:
        yield f"solid {mm} mm", NoduleFacts(composition="solid", size=axes(mm))
    yield "solid 5.9 x 6.0 mm", NoduleFacts(composition="solid", size=axes(5.9, 6.0))
    for mm3 in VOLUMES_MM3:
        yield f"solid {mm3} mm³", NoduleFacts(composition="solid", size=volume(mm3))
    both = Size(axes_mm=(5.9, 5.9), volume_mm3=130.0)
    yield "solid 5.9 mm and 130 mm³", NoduleFacts(composition="solid", size=both)
    for mm, component in ((5.9, None), (5.9, 4.0), (6.0, 3.9), (6.0, 5.9), (9.0, 6.0), (9.0, 8.0)):
        yield f"part-solid {mm} mm, {component} mm solid", part_solid(mm, component)
    yield "part-solid 9.0 mm, unknown core", part_solid(9.0, None)
    for mm in (5.9, 29.9, 30.0):
        yield f"ground-glass {mm} mm", NoduleFacts(composition="ground-glass", size=axes(mm))
    for feature in ("calcification", "fat", "perifissural", "juxtapleural", "proven"):
        for mm in (9.9, 10.0):
            benign = NoduleFacts(composition="solid", size=axes(mm), benign_feature=feature)
            yield f"solid {mm} mm, {feature}", benign
    yield "composition unknown", NoduleFacts(size=axes(9.0))
    yield "size unknown", NoduleFacts(composition="solid")


def first_sight() -> Cases:
    for version in ("v2022", "v1.1"):
        for name, nodule in nodules():
            for course in ("baseline", "new"):
                lesion = lung_rads.ScreenedNodule(nodule=nodule, temporal_status=course)
                says = lung_rads.classify_lesion(lesion, version=version)
                if version == "v2022" or course == "baseline":
                    yield f"Lung-RADS {version}, {course}: {name}", says


def followed() -> Cases:
    """Nodules with a prior: rises about 1.5 mm, windows about 12 months, steps down."""
    for version in ("v2022", "v1.1"):
        for rise in (-2.0, 0.0, 1.5, 1.6, 3.2):
            for months, category in (
                (2.4, "4A"),
                (3.0, "4A"),
                (6.0, "3"),
                (13.0, "2"),
                (24.0, "4B"),
            ):
                now, prior = (
                    axes(7.0 + rise),
                    lung_rads.Prior(
                        size=axes(7.0), composition="solid", months=months, category=category
                    ),
                )
                lesion = lung_rads.ScreenedNodule(
                    nodule=NoduleFacts(composition="solid", size=now),
                    temporal_status="followed",
                    prior=prior,
                )
                name = f"solid 7 mm, {rise:+} mm in {months} months, was {category}"
                yield (
                    f"Lung-RADS {version}: {name}",
                    lung_rads.classify_lesion(lesion, version=version),
                )
        yield from _followed_subsolid(version)


def _followed_subsolid(version: Any) -> Cases:
    for core, before, was in (
        (4.0, 4.0, "part-solid"),
        (5.6, 4.0, "part-solid"),
        (3.9, 2.0, "part-solid"),
        (3.0, None, "ground-glass"),
        (5.0, None, "part-solid"),
    ):
        prior = lung_rads.Prior(
            size=axes(9.0),
            composition=was,
            solid_component=None if before is None else axes(before),
            months=6.0,
            category="3",
        )
        lesion = lung_rads.ScreenedNodule(
            nodule=part_solid(9.0, core), temporal_status="followed", prior=prior
        )
        name = f"core {before} to {core} mm, was {was}"
        yield f"Lung-RADS {version}: {name}", lung_rads.classify_lesion(lesion, version=version)
    for mm, course in (
        (31.0, "growing"),
        (31.0, "stable"),
        (31.0, "slowly growing"),
        (9.0, "growing"),
    ):
        lesion = lung_rads.ScreenedNodule(
            nodule=NoduleFacts(composition="ground-glass", size=axes(mm)), temporal_status=course
        )
        name = f"ground-glass {mm} mm, {course}"
        yield f"Lung-RADS {version}: {name}", lung_rads.classify_lesion(lesion, version=version)


def airways_and_cysts() -> Cases:
    for version in ("v2022", "v1.1"):
        for level in ("subsegmental", "proximal"):
            for course in ("baseline", "new", "stable", "growing"):
                airway = lung_rads.AirwayNodule(level=level, temporal_status=course, size=axes(7.0))
                says = lung_rads.classify_lesion(airway, version=version)
                yield f"Lung-RADS {version}: {level} airway, {course}", says
    for wall in ("thin", "thick"):
        for multilocular in (False, True):
            for course in ("baseline", "new", "stable"):
                cyst = lung_rads.Cyst(wall=wall, multilocular=multilocular, temporal_status=course)
                name = f"{wall} cyst{', multilocular' * multilocular}, {course}"
                yield f"Lung-RADS: {name}", lung_rads.classify_lesion(cyst)
    for change in (
        *("cyst growing", "wall growing", "became multilocular"),
        "more loculation or opacity",
    ):
        cyst = lung_rads.Cyst(
            wall="thick", multilocular=True, temporal_status="changed", changes=frozenset({change})
        )
        yield f"Lung-RADS: cyst, {change}", lung_rads.classify_lesion(cyst)
    aside = lung_rads.Cyst(
        wall="thin", multilocular=False, temporal_status="baseline", set_aside=True
    )
    yield "Lung-RADS: cyst set aside", lung_rads.classify_lesion(aside)
    yield "Lung-RADS v1.1: cyst", lung_rads.classify_lesion(aside, version="v1.1")


def exams() -> Cases:
    solid = lung_rads.ScreenedNodule(nodule=SOLID, temporal_status="baseline")
    small = lung_rads.ScreenedNodule(
        nodule=NoduleFacts(id="N2", composition="solid", size=axes(4.0)), temporal_status="baseline"
    )
    unknown = lung_rads.ScreenedNodule(nodule=NoduleFacts(id="N3"), temporal_status="baseline")
    large = lung_rads.ScreenedNodule(
        nodule=NoduleFacts(id="N4", composition="solid", size=axes(16.0)),
        temporal_status="baseline",
    )
    for name, person in PEOPLE.items():
        yield f"Lung-RADS exam, {name}", lung_rads.classify_exam([solid, small], person=person)
    for name, lesions in {
        "no nodule": [],
        "one unknown": [small, unknown],
        "one unknown beside 4B": [unknown, large],
        "unknown alone": [unknown],
        "three": [small, large, solid],
    }.items():
        for version in ("v2022", "v1.1"):
            says = lung_rads.classify_exam(lesions, person=PERSON, version=version)
            yield f"Lung-RADS {version} exam: {name}", says
    for said in (
        {"upgrade_to_4x": True},
        {"significant_other_finding": True},
        {"upgrade_to_4x": True, "significant_other_finding": True},
        {"incomplete": "prior being located", "significant_other_finding": True},
        {"incomplete": "suspected infection"},
    ):
        reader = lung_rads.ReaderStatement(**said)
        for name, lesions in (("solid 9 mm", [solid]), ("unknown", [unknown])):
            says = lung_rads.classify_exam(lesions, person=PERSON, reader=reader)
            yield f"Lung-RADS exam, reader {', '.join(said)}: {name}", says


def nelson_categories() -> Cases:
    for mm3 in (49.4, 49.5, 500.4, 500.5):
        nodule = NoduleFacts(composition="solid", size=volume(mm3))
        yield f"NELSON solid {mm3} mm³", nelson.categorize(nodule, person=PERSON, baseline=True)
    for mm in (4.9, 5.0, 10.0, 10.1):
        nodule = NoduleFacts(composition="solid", size=axes(12.0, mm))
        says = nelson.categorize(nodule, person=PERSON, baseline=True, pleural_based=True)
        yield f"NELSON on the pleura, {mm} mm across", says
    for mm3, mm in ((49.0, 7.9), (49.0, 8.0), (50.0, 8.0), (501.0, 12.0)):
        nodule = NoduleFacts(composition="part-solid", size=axes(mm), solid_component=volume(mm3))
        says = nelson.categorize(nodule, person=PERSON, baseline=True)
        yield f"NELSON part-solid {mm} mm, {mm3} mm³ solid", says
    for mm in (7.9, 8.0):
        nodule = NoduleFacts(composition="ground-glass", size=axes(mm))
        says = nelson.categorize(nodule, person=PERSON, baseline=True)
        yield f"NELSON ground-glass {mm} mm", says
    benign = NoduleFacts(composition="solid", size=volume(600.0), benign_feature="fat")
    yield "NELSON fat", nelson.categorize(benign, person=PERSON, baseline=True)
    yield "NELSON no volume", nelson.categorize(SOLID, person=PERSON, baseline=True)
    yield "NELSON nothing known", nelson.categorize(NoduleFacts(), person=PERSON, baseline=True)
    whole = NoduleFacts(composition="solid", size=volume(100.0))
    for baseline in (False, None):
        says = nelson.categorize(whole, person=PERSON, baseline=baseline)
        yield f"NELSON baseline {baseline}", says
    for name, person in PEOPLE.items():
        yield f"NELSON {name}", nelson.categorize(whole, person=person, baseline=True)


def nelson_growth() -> Cases:
    kinds = {
        "solid": (NoduleFacts(composition="solid"), False),
        "on the pleura": (NoduleFacts(composition="solid"), True),
        "ground-glass": (NoduleFacts(composition="ground-glass"), False),
        "benign": (NoduleFacts(composition="solid", benign_feature="fat"), False),
        "unknown": (NoduleFacts(), False),
    }
    for after, days in (
        (80.0, 90.0),
        (124.9, 90.0),
        (125.0, 90.0),
        (125.0, 150.0),
        (200.0, 400.0),
        (200.0, 400.1),
        (200.0, 600.0),
        (200.0, 600.1),
        (70.0, 90.0),
    ):
        for name, (nodule, pleural) in kinds.items():
            if name == "solid" or (after == 200.0 and days == 400.0):
                says = nelson.judge_nelson_growth(
                    nodule,
                    person=PERSON,
                    before=Volumetry(volume_mm3=100.0, error_share=0.2),
                    after=Volumetry(volume_mm3=after, error_share=0.1),
                    days=days,
                    pleural_based=pleural,
                )
                yield f"NELSON {name}, 100 to {after} mm³ in {days} days", says


def cases() -> dict[str, Any]:
    groups = (first_sight, followed, airways_and_cysts, exams, nelson_categories, nelson_growth)
    return answers.table(case for group in groups for case in group())
