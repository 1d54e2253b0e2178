"""The category of a nodule in an airway and of an atypical cyst."""

from __future__ import annotations

from nodule.guidelines.facts import NoduleFacts
from nodule.guidelines.lung_rads.lesions import AirwayNodule, Cyst, ScreenedNodule
from nodule.guidelines.lung_rads.movement import stepped
from nodule.guidelines.lung_rads.nodule_category import classify_nodule
from nodule.guidelines.lung_rads.table import AIRWAY_4B, Category, Edition
from nodule.guidelines.lung_rads.verdict import Verdict, as_result, verdict
from nodule.guidelines.result import Result, Rule

NOT_CLASSIFIED = "not classified"


def classify_airway(lesion: AirwayNodule, edition: Edition) -> Result:
    """Category by level and persistence; v1.1 knows one category for every level."""
    inputs = {"airway": lesion.level, "course": lesion.temporal_status}
    if not edition.subsegmental_airway:
        found = verdict("4A", "airway", "Endobronchial nodule")
        return as_result(edition, found, inputs=inputs, subject=lesion.id)
    if lesion.level == "subsegmental":
        return _subsegmental(lesion, edition)
    if lesion.temporal_status in ("baseline", "new"):
        text = "Airway nodule, segmental or more proximal, first seen"
        found = verdict("4A", "airway-first", text)
        return as_result(edition, found, inputs=inputs, subject=lesion.id)
    text = "Airway nodule, segmental or more proximal, persisting or growing"
    found = verdict("4B", "airway-persisting", text)
    return as_result(edition, found, inputs=inputs, subject=lesion.id, management=AIRWAY_4B)


def _subsegmental(lesion: AirwayNodule, edition: Edition) -> Result:
    if lesion.temporal_status == "growing":
        solid = NoduleFacts(id=lesion.id, composition="solid", size=lesion.size)
        return classify_nodule(ScreenedNodule(nodule=solid, temporal_status="growing"), edition)
    found = verdict("2", "airway-subsegmental", "Subsegmental airway nodule, not growing")
    inputs = {"airway": lesion.level, "course": lesion.temporal_status}
    return as_result(edition, found, inputs=inputs, subject=lesion.id)


def classify_cyst(lesion: Cyst, edition: Edition) -> Result:
    """Category of an atypical cyst; ``not classified`` where Lung-RADS leaves it out."""
    inputs = _inputs(lesion)
    if not edition.cysts:
        text = f"Lung-RADS {edition.rules.version} has no categories for cysts."
        rule = Rule(id="scope-cyst", text=text, where="table")
        return edition.rules.out_of_scope(rule, inputs=inputs, subject=lesion.id)
    if lesion.set_aside or (lesion.wall == "thin" and not lesion.multilocular):
        text = "Thin-walled unilocular, fluid-filled and multiple cysts are not classified."
        rule = Rule(id="cyst-not-classified", text=text, where="note on atypical cysts")
        return edition.rules.applied(rule, NOT_CLASSIFIED, inputs=inputs, subject=lesion.id)
    earned, missing = stepped(lesion.prior, edition)
    found = _changed_or_first(lesion)
    if lesion.temporal_status == "stable" and earned is not None:
        found = _history(earned)
    else:
        missing = ()
    return as_result(edition, found, inputs=inputs, subject=lesion.id, missing=missing)


def _changed_or_first(lesion: Cyst) -> Verdict:
    """Return the highest category that the cyst's walls, locules and changes meet."""
    if "more loculation or opacity" in lesion.changes:
        return verdict("4B", "cyst-denser", "Cyst with more loculation, or new or more opacity")
    if "wall growing" in lesion.changes:
        return verdict("4B", "cyst-wall-growing", "Cyst whose wall or nodularity grows")
    grows = "cyst growing" in lesion.changes
    if "became multilocular" in lesion.changes:
        return verdict("4A", "cyst-became-multilocular", "Cyst that became multilocular")
    if lesion.multilocular:
        if grows:
            return verdict("4B", "cyst-multilocular-growing", "Growing multilocular cyst")
        return verdict("4A", "cyst-multilocular", "Multilocular cyst")
    if grows:
        return verdict("3", "cyst-growing", "Thick-walled cyst whose air-filled part grows")
    return verdict("4A", "cyst-thick-walled", "Thick-walled cyst")


def _history(category: Category) -> Verdict:
    return verdict(category, "history", "Stable cyst, by its earlier category and the months since")


def _inputs(lesion: Cyst) -> dict[str, object]:
    prior = lesion.prior
    return {
        "wall": lesion.wall,
        "multilocular": lesion.multilocular,
        "course": lesion.temporal_status,
        "changes": ", ".join(sorted(lesion.changes)) or None,
        "months between the scans": prior.months if prior else None,
        "earlier category": prior.category if prior else None,
    }
