"""What the rules call a fact, and what a reader calls it."""

from __future__ import annotations

_WORDS = {
    "route": "clinical setting",
    "age_years": "age",
    "known_cancer": "whether a cancer is known",
    "immunosuppressed": "whether immunosuppressed",
    "risk": "risk of cancer as the clinician estimates it",
    "brock_probability": "Brock’s probability",
    "mayo_probability": "Mayo’s probability",
    "uptake": "uptake on PET",
    "female": "sex",
    "family_history": "family history of lung cancer",
    "emphysema": "emphysema on CT",
    "upper_lobe": "lobe",
    "spiculation": "spiculation",
    "diameter_mm": "size",
    "nodule_count": "count of nodules",
    "smoker": "smoking",
    "extrathoracic_cancer_over_5_years_ago": "extrathoracic cancer over 5 years ago",
    "excluding_cancer": "cancer within 5 years or any lung cancer",
    "prior_lung_cancer": "earlier lung cancer",
    "benign_feature": "benign feature",
}


def in_words(fact: str) -> str:
    """Return a fact's name as a reader would say it, ``N2: solid component`` kept as it is."""
    subject, colon, name = fact.rpartition(": ")
    return f"{subject}{colon}{_WORDS.get(name, name)}"
