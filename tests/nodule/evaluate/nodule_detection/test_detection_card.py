"""A detector's card says what was measured, group by group."""

from nodule.evaluate.nodule_detection.detection_card import card_notes, card_rows

POINT = {
    "threshold": 0.4,
    "fp_per_scan": 4.0,
    "fp_per_scan_interval": (1.1, 10.2),
    "n": 10,
    "sensitivity": 0.9,
    "interval": [0.7, 1.0],
    "by_size_mm": {"<6": {"n": 4, "sensitivity": 0.75, "interval": [0.5, 1.0]}},
    "by_texture": {"solid": {"n": 10, "sensitivity": 0.9, "interval": [0.7, 1.0]}},
    "by_side": {"left": {"n": 6, "sensitivity": 0.8, "interval": [0.6, 1.0]}},
    "by_crop_height_mm": {"<10": {"n": 10, "sensitivity": 0.9, "interval": [0.7, 1.0]}},
}
SCAN = {"scan": "CASE", "nodules": [{"diameter_mm": 8.0, "readers": 4, "rank": 1}]}
MISSED = {"scan": "CASE", "nodules": [{"diameter_mm": 8.0, "readers": 4, "rank": None}]}
SUMMARY = {
    "operating_points": {"4": POINT},
    "scans": [SCAN],
    "detector": {"operating_points": {"4": {**POINT, "sensitivity": 0.8}}, "scans": [MISSED]},
}


def test_rows_name_chain_detector_and_groups() -> None:
    rows = [row.cells() for row in card_rows(SUMMARY)]
    assert rows == [
        ("chain: sensitivity at 4 false marks a scan", "0.900", "0.700 to 1.000", "10"),
        ("detector alone: sensitivity at 4 false marks a scan", "0.800", "0.700 to 1.000", "10"),
        ("chain at 4: <6 mm", "0.750", "0.500 to 1.000", "4"),
        ("chain at 4: solid", "0.900", "0.700 to 1.000", "10"),
        ("chain at 4: left side", "0.800", "0.600 to 1.000", "6"),
        ("chain at 4: <10 mm of crop height", "0.900", "0.700 to 1.000", "10"),
    ]


def test_notes_tell_the_threshold_the_scans_and_the_ranks() -> None:
    assert list(card_notes(SUMMARY)) == [
        "4 false marks a scan: threshold 0.400, counted on 1 whole scans (Poisson interval 1.1 to "
        "10.2).",
        "CASE, chain: nodule of 8.0 mm by 4 readers: rank 1.",
        "CASE, detector alone: nodule of 8.0 mm by 4 readers: missed.",
    ]
