import json
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import light_flow
import pydicom
import pytest

from pipelines.cache import Cache

Nodule = Callable[..., "subprocess.CompletedProcess[str]"]
FILES = {
    *("report.json", "findings.csv", "management.csv", "report.html"),
    *("lungs.nii.gz", "nodules.nii.gz", "manifest.json"),
}
ALL = ["read_ct", "resample", "lungs", "candidates", "malignancy", "measure", "disease"]
CANARY_FIELDS = (
    "PatientName",
    "PatientID",
    "PatientComments",
    "PatientAddress",
    "OtherPatientIDs",
    "PatientMotherBirthName",
    "AccessionNumber",
    "InstitutionName",
    "InstitutionAddress",
    "ReferringPhysicianName",
    "OperatorsName",
    "StudyDescription",
)


def tree(folder: Path) -> dict[str, bytes]:
    files = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def summary(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    last: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return last


def test_writes_a_folder_of_results_and_runs_nothing_twice(
    nodule_run: Nodule, command: list[str], phantom_study: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = nodule_run(phantom_study, "-o", out)
    assert first.returncode == 0, first.stderr
    (row,) = summary(first)["done"]
    assert row["study"] == "CASE-1"
    assert row["findings"] == 2
    assert row["ran"] == ALL
    before = tree(out)
    assert before.keys() == {f"CASE-1/{name}" for name in FILES}
    for name in ("sr.dcm", "seg.dcm", "report.pdf", "comparison.csv"):
        (out / "CASE-1" / name).touch()  # as an earlier run that was asked for more leaves them
    python, *rest = command
    second = subprocess.run(
        [python, "-X", "importtime", *rest, str(phantom_study), "-o", str(out)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert summary(second)["done"][0]["ran"] == []
    assert tree(out) == before
    imported = {line.rpartition("|")[2].strip() for line in second.stderr.splitlines()}
    assert imported.isdisjoint({"torch", "monai", "lightning"})


def test_what_is_stated_of_the_person_changes_the_report_and_runs_no_stage_again(
    nodule_run: Nodule, phantom_study: Path, tmp_path: Path
) -> None:
    person = tmp_path / "person.toml"
    person.write_text('age_years = 61\nrisk = "low"\nknown_cancer = false\n')
    nodule_run(phantom_study, "-o", tmp_path / "a")
    words = ("--context", "incidental", "--person", person, "--indication", "Cough")
    second = nodule_run(phantom_study, "-o", tmp_path / "b", *words)
    assert summary(second)["done"][0]["ran"] == []
    before, after = (
        json.loads((tmp_path / name / "CASE-1" / "report.json").read_bytes()) for name in "ab"
    )
    assert before["management"]["exam"] == []
    assert before["context"]["indication"] is None
    assert [a["rule_set"] for a in after["management"]["exam"]] == ["Fleischner"]
    assert after["context"]["indication"] == "Cough"
    assert after["findings"] == before["findings"]


@pytest.mark.parametrize("option", ["--prior", "--person", "--series"])
def test_what_holds_for_one_study_is_refused_for_several(
    nodule_run: Nodule, phantom_study: Path, tmp_path: Path, option: str
) -> None:
    value = tmp_path / "person.toml"
    value.touch()
    done = nodule_run(phantom_study, phantom_study, "-o", tmp_path / "out", option, value)
    assert done.returncode == 2
    assert done.stderr.startswith("ONE_STUDY")
    assert not (tmp_path / "out").exists()


def test_contradictory_options_are_wrong_usage(
    nodule_run: Nodule, phantom_study: Path, tmp_path: Path
) -> None:
    done = nodule_run(
        phantom_study, "-o", tmp_path / "out", "--fp-per-scan", "1", "--threshold", "0.4"
    )
    assert done.returncode == 2
    assert done.stderr.startswith("TWO_OPERATING_POINTS")
    assert done.stdout == ""


def test_a_study_is_no_prior_of_itself(
    nodule_run: Nodule, phantom_study: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(phantom_study, copy)
    for prior in (phantom_study, copy):
        done = nodule_run(phantom_study, "-o", tmp_path / "out", "--prior", prior)
        assert done.returncode == 2
        assert summary(done)["failed"][0]["code"] == "SAME_STUDY"
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "cache").exists()


def test_a_damaged_report_is_replaced_by_the_next_run(
    nodule_run: Nodule, phantom_study: Path, tmp_path: Path
) -> None:
    nodule_run(phantom_study, "-o", tmp_path / "out")
    before = tree(tmp_path / "out")
    (tmp_path / "out" / "CASE-1" / "report.json").write_bytes(b'{"provenance": {"inp')
    done = nodule_run(phantom_study, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "damaged report.json" in " ".join(done.stderr.split())
    assert tree(tmp_path / "out") == before


def test_the_viewer_is_left_out_where_it_is_not_wanted(
    nodule_run: Nodule, phantom_study: Path, tmp_path: Path
) -> None:
    nodule_run(phantom_study, "-o", tmp_path / "with")
    nodule_run(phantom_study, "-o", tmp_path / "without", "--no-viewer")
    pages = [tree(tmp_path / name)["CASE-1/report.html"] for name in ("with", "without")]
    assert len(pages[1]) < len(pages[0]) / 2


def test_an_unusable_study_among_good_ones_is_told_and_passed_over(
    nodule_run: Nodule, phantom_study: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    done = nodule_run(bad, phantom_study, tmp_path / "nowhere", "-o", tmp_path / "out")
    assert done.returncode == 3
    assert [row["study"] for row in summary(done)["done"]] == ["CASE-1"]
    failed = summary(done)["failed"]
    assert [(row["study"], row["code"]) for row in failed] == [
        ("bad", "NO_SERIES"),
        ("nowhere", "NOT_FOUND"),
    ]
    assert all(row.keys() == {"study", "code", "message", "file"} for row in failed)
    assert "Traceback" not in done.stderr


def test_exits_1_when_nothing_worked(nodule_run: Nodule, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = nodule_run(tmp_path / "empty", tmp_path / "nowhere", "-o", tmp_path / "out")
    assert done.returncode == 1
    assert [row["code"] for row in summary(done)["failed"]] == ["NO_SERIES", "NOT_FOUND"]


def test_exits_2_when_no_study_exists(nodule_run: Nodule, tmp_path: Path) -> None:
    done = nodule_run(tmp_path / "nowhere", "-o", tmp_path / "out")
    assert done.returncode == 2
    assert summary(done)["failed"][0]["code"] == "NOT_FOUND"


def test_a_series_that_does_not_exist_is_wrong_usage(
    nodule_run: Nodule, phantom_study: Path, tmp_path: Path
) -> None:
    done = nodule_run(phantom_study, "-o", tmp_path / "out", "--series", "1.2.3")
    assert done.returncode == 2
    assert summary(done)["failed"][0]["code"] == "UNKNOWN_SERIES"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["x"],
        ["x", "-o", "y", "--device", "tpu"],
        ["x", "-o", "y", "--threshold", "1.5"],
        ["x", "-o", "y", "--fp-per-scan", "-1"],
        ["x", "-o", "y", "--config", "nowhere.toml"],
        ["x", "-o", "y", "--person", "nowhere.toml"],
        ["x", "-o", "y", "--prior-series", "1.2.3"],
    ],
)
def test_exits_2_on_wrong_usage(nodule_run: Nodule, arguments: list[str]) -> None:
    done = nodule_run(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_broken_configuration_is_one_line(
    nodule_run: Nodule, phantom_study: Path, tmp_path: Path
) -> None:
    config = tmp_path / "own.toml"
    config.write_text(light_flow.CONFIG.replace("below_hu", "bellow_hu"))
    done = nodule_run(phantom_study, "-o", tmp_path / "out", "--config", config)
    assert done.returncode == 1
    assert done.stderr.startswith("UNKNOWN_KEY: own.toml")
    assert "below_hu" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_two_studies_of_one_name_keep_their_results_apart(
    nodule_run: Nodule, phantom_study: Path, tmp_path: Path
) -> None:
    one, other = tmp_path / "a" / "CT", tmp_path / "b" / "CT"
    shutil.copytree(phantom_study, one)
    shutil.copytree(phantom_study, other)
    shift_z(other)
    out = tmp_path / "out"
    done = nodule_run(one, other, "-o", out)
    folders = [row["study"] for row in summary(done)["done"]]
    assert folders[0] == "CT"
    assert folders[1].startswith("CT-")
    before = tree(out)
    again = nodule_run(other, one, "-o", out)
    assert [row["study"] for row in summary(again)["done"]] == folders[::-1]
    assert tree(out) == before


def shift_z(folder: Path) -> None:
    """Move every slice 10 mm to the head: another study, as far as its content goes."""
    for path in folder.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        x, y, z = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [x, y, z + 10]
        dataset.save_as(path)


def test_the_order_and_names_of_files_do_not_matter(
    nodule_run: Nodule, phantom_study: Path, tmp_path: Path
) -> None:
    """R15: the second study is a hit, and gives the same report."""
    shuffled = tmp_path / "CASE-1"
    shuffled.mkdir()
    paths = sorted(phantom_study.rglob("*.dcm"))
    random.Random(5).shuffle(paths)
    for index, path in enumerate(paths):
        shutil.copy(path, shuffled / f"{index:04d}")
    first = nodule_run(phantom_study, "-o", tmp_path / "one")
    second = nodule_run(shuffled, "-o", tmp_path / "two")
    assert summary(first)["done"][0]["ran"] == ALL
    assert summary(second)["done"][0]["ran"] == []
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


@pytest.mark.slow
def test_killed_at_random_moments_it_resumes_to_the_same_tree(
    nodule_run: Nodule, command: list[str], phantom_study: Path, tmp_path: Path
) -> None:
    """R7, on the whole command."""
    config = tmp_path / "light.toml"
    config.write_text(light_flow.CONFIG.replace("slowness_s = 0.0", "slowness_s = 0.5"))
    reference, out = tmp_path / "reference", tmp_path / "out"
    nodule_run(phantom_study, "-o", reference, "--cache", tmp_path / "other-cache")
    rng = random.Random(11)
    cache = Cache(tmp_path / "cache")
    finished: set[str] = set()
    for _ in range(5):
        process = subprocess.Popen(
            [*command, str(phantom_study), "-o", str(out)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(rng.uniform(0.5, 3.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert cache.verify() == dict.fromkeys(cache.keys())
        assert finished <= set(cache.keys())
        finished = set(cache.keys())
    ran = summary(nodule_run(phantom_study, "-o", out))["done"][0]["ran"]
    assert len(ran) == len(ALL) - len(finished)
    results = {name: data for name, data in tree(out).items() if "/." not in name}
    assert results == tree(reference)


def test_results_that_cannot_be_written_fail_with_a_code(
    nodule_run: Nodule, phantom_study: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "CASE-1").write_text("a file where the folder should be")
    done = nodule_run(phantom_study, "-o", out)
    assert done.returncode == 1
    assert summary(done)["failed"][0]["code"] == "DISK_FAILED"


def test_a_cache_that_cannot_be_written_costs_a_warning_only(
    nodule_run: Nodule, phantom_study: Path, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    done = nodule_run(phantom_study, "-o", tmp_path / "out")
    assert done.returncode == 0
    assert "cannot be written" in " ".join(done.stderr.split())


def test_a_patient_is_named_in_the_report_and_nowhere_else(
    command: list[str], phantom_study: Path, tmp_path: Path
) -> None:
    """R19: twelve canaries in patient fields, DEBUG logs on, one good and one bad study."""
    good, bad = tmp_path / "in" / "good", tmp_path / "in" / "bad"
    canaries = [f"CANARY{i:02d}" for i in range(len(CANARY_FIELDS))]
    shutil.copytree(phantom_study, good)
    for path in good.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        for keyword, canary in zip(CANARY_FIELDS, canaries, strict=True):
            setattr(dataset, keyword, canary)
        dataset.save_as(path)
    shutil.copytree(good, bad)
    for path in sorted(bad.rglob("*.dcm"))[5:8]:
        path.unlink()
    loud = "import logging, runpy, sys; logging.basicConfig(level=logging.DEBUG, force=True); "
    loud += "script = sys.argv[1]; del sys.argv[0]; runpy.run_path(script, run_name='__main__')"
    python, script, *rest = command
    done = subprocess.run(
        [python, "-c", loud, script, *rest, str(good), str(bad), "-o", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "DEBUG" in done.stderr
    said = done.stdout + done.stderr
    names = "\n".join(p.as_posix() for p in tmp_path.rglob("*"))
    cached = b"".join(tree(tmp_path / "cache").values())
    for canary in canaries:
        assert canary not in said
        assert canary not in names
        assert canary.encode() not in cached
    assert "CANARY00" in (tmp_path / "out" / "good" / "report.json").read_text()


def test_results_and_cache_are_for_their_owner(
    nodule_run: Nodule, phantom_study: Path, tmp_path: Path
) -> None:
    done = nodule_run(phantom_study, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    for root in (tmp_path / "out", tmp_path / "cache"):
        for path in (root, *root.rglob("*")):
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_a_folder_named_after_a_patient_is_replaced_by_a_pseudonym(
    nodule_run: Nodule, phantom_study: Path, tmp_path: Path
) -> None:
    study = shutil.copytree(phantom_study, tmp_path / "CANARY-Jane")
    done = nodule_run(study, "-o", tmp_path / "out", "--name-by", "uid")
    (row,) = summary(done)["done"]
    assert row["study"].startswith("study-")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [row["study"]]
    assert all(b"CANARY" not in data for data in tree(tmp_path / "out").values())
