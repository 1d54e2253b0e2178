"""The card tells every figure with its interval and what it rests on."""

from nodule.evaluate.malignancy_rating.malignancy_card import card_notes, card_rows
from nodule.weights.model_card import CardFigure

SUMMARY = {
    "n": 10,
    "n_benign": 4,
    "n_malignant": 3,
    "auc": 0.9,
    "auc_interval": [0.8, 0.95],
    "ece_before": 0.12,
    "ece_before_interval": [0.1, 0.2],
    "mae": 0.4,
    "mae_interval": [0.3, 0.5],
    "confusion_matrix": [],
    "by_size": {
        "<6 mm": {
            **{"n": 5, "n_benign": 2, "n_malignant": 1, "mae": 0.1, "mae_interval": [0, 1]},
            **{"auc": 0.7, "auc_interval": [0.5, 0.9]},
        },
        "6-<10 mm": {"n": 2},
    },
}


def test_tells_each_figure_with_its_interval_and_number() -> None:
    assert list(card_rows(SUMMARY)) == [
        CardFigure(name="AUC, benign against malignant", value=0.9, interval=(0.8, 0.95), n=7),
        CardFigure(
            name="calibration error (ECE), before calibration",
            value=0.12,
            interval=(0.1, 0.2),
            n=7,
        ),
        CardFigure(
            name="mean absolute error of the mean rating", value=0.4, interval=(0.3, 0.5), n=10
        ),
        CardFigure(
            name="<6 mm: AUC, benign against malignant", value=0.7, interval=(0.5, 0.9), n=3
        ),
    ]


def test_tells_what_was_left_out_and_where_the_threshold_lies() -> None:
    counts = {"n_dropped_at_3": 3, "n_deep_views": 2, "n_other_places": 6}
    left_out, around = card_notes({**counts, "thresholds": [0.281, 0.334]})
    assert left_out.startswith("3 nodules")
    assert "0.28 to 0.33, by fold" in left_out
    assert "2 views" in around
    assert "6 dense places" in around


def test_what_rests_on_some_nodules_claims_no_number() -> None:
    figures = {"n": 10, "n_benign": 4, "n_malignant": 3, "n_deep_views": 2}
    some = {"mae_of_judged": 0.1, "mae_of_judged_interval": [0, 1]}
    deep = {"nodule_auc": 0.9, "nodule_auc_interval": [0, 1]}
    assert [row.n for row in card_rows({**figures, **some, **deep})] == [None, 2]
