"""A grid through Fleischner, BTS, the risk models, RECIST and growth."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import answers
from answers import (
    BrockFacts,
    MayoFacts,
    NoduleFacts,
    Person,
    Size,
    Volumetry,
    bts,
    fleischner,
    growth,
    recist,
    risk,
)

Cases = Iterator[tuple[str, Any]]
PERSON = Person(age_years=61, route="incidental", known_cancer=False, immunosuppressed=False)
PEOPLE = {
    "34 years": replace(PERSON, age_years=34),
    "35 years": replace(PERSON, age_years=35),
    "age unknown": replace(PERSON, age_years=None),
    "17 years": replace(PERSON, age_years=17),
    "18 years": replace(PERSON, age_years=18),
    "screening": replace(PERSON, route="screening"),
    "route unknown": replace(PERSON, route=None),
    "known cancer": replace(PERSON, known_cancer=True),
    "cancer unknown": replace(PERSON, known_cancer=None),
    "immunosuppressed": replace(PERSON, immunosuppressed=True),
}
BROCK = BrockFacts(
    age_years=62,
    female=True,
    family_history=False,
    emphysema=True,
    diameter_mm=9.3,
    composition="part-solid",
    upper_lobe=True,
    nodule_count=3,
    spiculation=True,
    prior_lung_cancer=False,
)
MAYO = MayoFacts(
    age_years=62,
    smoker=True,
    extrathoracic_cancer_over_5_years_ago=False,
    excluding_cancer=False,
    diameter_mm=9.3,
    spiculation=True,
    upper_lobe=False,
)


def nodule(
    composition: Any, mm: float | None = None, mm3: float | None = None, **more: Any
) -> NoduleFacts:
    axes = None if mm is None else (mm, mm)
    return NoduleFacts(composition=composition, size=Size(axes_mm=axes, volume_mm3=mm3), **more)


def fleischner_cases() -> Cases:
    sizes = [(mm, None) for mm in (5.4, 5.5, 8.4, 8.5, 30.4, 30.5)]
    volumes = [(None, mm3) for mm3 in (99.4, 99.5, 250.4, 250.5, 14138.0)]
    for mm, mm3 in (*sizes, *volumes):
        for number in (1, 2):
            for seen in ("low", "high", None):
                if seen is not None or number == 1:
                    solid = nodule("solid", mm, mm3)
                    says = fleischner.recommend([solid] * number, person=PERSON, risk=seen)
                    yield f"Fleischner {number} solid {mm or mm3}, risk {seen}", says
    for kind in ("ground-glass", "part-solid"):
        for mm in (5.4, 5.5):
            for number in (1, 2):
                says = fleischner.recommend([nodule(kind, mm)] * number, person=PERSON, risk="low")
                yield f"Fleischner {number} {kind} {mm} mm", says
    for mm in (5.4, 5.5, 8.5):
        core = nodule("part-solid", 12.0, solid_component=Size(axes_mm=(mm, mm)))
        yield f"Fleischner core {mm} mm", fleischner.recommend([core], person=PERSON, risk=None)
    mixed = [
        replace(nodule(kind, mm), id=f"N{number}")
        for number, (kind, mm) in enumerate(
            (("solid", 7.0), ("ground-glass", 9.0), ("solid", 9.0)), start=1
        )
    ]
    yield "Fleischner mixed", fleischner.recommend(mixed, person=PERSON, risk="high")
    benign = nodule("solid", 12.0, benign_feature="perifissural")
    yield "Fleischner benign", fleischner.recommend([benign], person=PERSON, risk=None)
    yield "Fleischner none", fleischner.recommend([], person=PERSON, risk=None)
    unknown = [NoduleFacts(id="N1"), nodule("solid", 7.0)]
    yield "Fleischner unknown", fleischner.recommend(unknown, person=PERSON, risk="low")
    for name, person in PEOPLE.items():
        says = fleischner.recommend([nodule("solid", 7.0)], person=person, risk="low")
        yield f"Fleischner {name}", says


def bts_first_sight() -> Cases:
    sizes = [(mm, None) for mm in (4.9, 5.0, 5.9, 6.0, 7.9, 8.0, 30.0, 30.1)]
    volumes = [(None, mm3) for mm3 in (79.4, 79.5, 299.4, 299.5)]
    for mm, mm3 in (*sizes, *volumes):
        says = bts.assess(nodule("solid", mm, mm3), person=PERSON)
        yield f"BTS solid {mm or mm3}", says
    for brock, herder in (
        *((0.0999, None), (0.1, None), (0.1, 0.0999), (0.1, 0.1), (0.5, 0.7), (0.5, 0.7001)),
    ):
        says = bts.assess(
            nodule("solid", 9.0), person=PERSON, brock_probability=brock, herder_probability=herder
        )
        yield f"BTS solid 9 mm, Brock {brock}, Herder {herder}", says
    for kind in ("ground-glass", "part-solid"):
        for persists in (None, False, True):
            for brock in (None, 0.05, 0.1) if persists else (None,):
                says = bts.assess(
                    nodule(kind, 9.0),
                    person=PERSON,
                    brock_probability=brock,
                    persists_at_3_months=persists,
                )
                yield f"BTS {kind} 9 mm, persists {persists}, Brock {brock}", says
    for feature in ("calcification", "fat", "perifissural", "juxtapleural", "proven"):
        for mm in (9.9, 10.0):
            says = bts.assess(nodule("solid", mm, benign_feature=feature), person=PERSON)
            yield f"BTS {feature} {mm} mm", says
    yield "BTS nothing known", bts.assess(NoduleFacts(id="N1"), person=PERSON)
    for name in ("age unknown", "17 years", "18 years", "screening"):
        yield f"BTS {name}", bts.assess(nodule("solid", 7.0), person=PEOPLE[name])


def bts_follow_up() -> Cases:
    kinds = {
        "solid": nodule("solid", mm3=200.0),
        "small": nodule("solid", mm3=70.0),
        "ground-glass": nodule("ground-glass", mm3=200.0),
        "perifissural": nodule("solid", mm3=200.0, benign_feature="perifissural"),
        "calcified": nodule("solid", mm3=200.0, benign_feature="calcification"),
        "unknown": NoduleFacts(id="N1"),
    }
    changes = ((110.0, 90), (110.0, 365), (110.0, 730), (200.0, 400), (200.0, 401), (200.0, 601))
    for method in ("automated volumetry", "other volumetry", "diameters"):
        for after, days in (*changes, (70.0, 400)):
            for name, each in kinds.items():
                if name == "solid" or (method, days) == ("automated volumetry", 400):
                    says = bts.follow_up(
                        each,
                        person=PERSON,
                        before=Volumetry(volume_mm3=100.0, error_share=0.15),
                        after=Volumetry(volume_mm3=after, error_share=0.15),
                        days=days,
                        method=method,
                    )
                    yield f"BTS {name}, 100 to {after} mm³ in {days} days, {method}", says


def risk_models() -> Cases:
    changes: tuple[dict[str, Any], ...] = (
        {},
        {"female": False, "family_history": True},
        {"emphysema": False, "spiculation": False},
        {"composition": "solid", "upper_lobe": False},
        {"composition": "ground-glass", "nodule_count": 1},
        {"age_years": 80, "diameter_mm": 29.7},
        {"diameter_mm": 1.0, "nodule_count": 9},
    )
    for model in answers.BROCK_MODELS:
        for change in changes:
            says = risk.brock(replace(BROCK, **change), model=model)
            yield f"Brock {model}, {change}", says
    refused: tuple[dict[str, Any], ...] = (
        {"diameter_mm": 0.9},
        {"diameter_mm": 30.1},
        {"age_years": 17},
        {"benign_feature": "fat"},
        {"prior_lung_cancer": True},
        {"prior_lung_cancer": None},
        {"spiculation": None, "upper_lobe": None},
    )
    for change in refused:
        yield f"Brock, {change}", risk.brock(replace(BROCK, **change))
    mayo: tuple[dict[str, Any], ...] = (
        {},
        {"smoker": False, "upper_lobe": True},
        {"extrathoracic_cancer_over_5_years_ago": True, "spiculation": False},
        {"age_years": 80, "diameter_mm": 30.0},
        {"diameter_mm": 3.9},
        {"diameter_mm": 30.1},
        {"age_years": 17},
        {"excluding_cancer": True},
        {"excluding_cancer": None, "smoker": None},
    )
    for change in mayo:
        yield f"Mayo, {change}", risk.mayo(replace(MAYO, **change))
    for uptake in ("absent", "faint", "moderate", "intense", None):
        for probability in (0.0, 0.3, 1.0, None):
            says = risk.herder(mayo_probability=probability, uptake=uptake)
            yield f"Herder {probability}, {uptake}", says


def recist_cases() -> Cases:
    for axes, node in (
        *(((9.94, 8.0), False), ((9.95, 8.0), False), ((11.9, 8.0), False), ((12.0, 8.0), False)),
        *(((20.0, 9.9), True), ((20.0, 10.0), True), ((20.0, 14.9), True), ((20.0, 15.0), True)),
    ):
        for thickness in (1.25, 5.0, 6.0):
            says = recist.eligibility(
                Size(axes_mm=axes), slice_thickness_mm=thickness, lymph_node=node
            )
            yield f"RECIST {axes} mm, slices of {thickness} mm, node {node}", says
    no_axes = recist.eligibility(Size(volume_mm3=900.0), slice_thickness_mm=1.0)
    yield "RECIST without axes", no_axes


def growth_cases() -> Cases:
    for before, after in (
        (100.0, 74.9),
        (100.0, 75.0),
        (100.0, 100.0),
        (100.0, 124.9),
        (80.0, 100.0),
        (100.0, 200.0),
        (250.0, 1100.0),
    ):
        for days in (90.0, 400.0, 400.5, 600.0, 600.5):
            for error in (None, 0.1, 0.4) if days == 400.0 else (0.1,):
                says = growth.judge_growth(
                    before=Volumetry(volume_mm3=before, error_share=error),
                    after=Volumetry(volume_mm3=after, error_share=0.2),
                    days=days,
                )
                yield f"growth {before} to {after} mm³ in {days} days, error {error}", says


def cases() -> dict[str, Any]:
    groups = (
        *(fleischner_cases, bts_first_sight, bts_follow_up),
        *(risk_models, recist_cases, growth_cases),
    )
    return answers.table(case for group in groups for case in group())
