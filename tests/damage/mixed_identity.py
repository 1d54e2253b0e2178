"""Damage to whose images they are, of what kind, and to which series they belong."""

import random
from copy import deepcopy

from pydicom.uid import generate_uid

from damage.damaged_series import ANY_ENCODING, ANY_NATIVE, DamagedSeries, one_or_all, some
from damage.edits import put, remove
from damage.kinds import Registry

Random = random.Random
KINDS = Registry()


@KINDS.of(*ANY_NATIVE)
def two_patients(rng: Random, series: DamagedSeries) -> None:
    keyword, value = rng.choice(
        (("PatientName", "Roe^Richard"), ("PatientID", "4712"), ("PatientBirthDate", "19600101"))
    )
    put(some(rng, series), keyword, value)(series.slices)


@KINDS.of(*ANY_NATIVE)
def two_patients_in_one_folder(rng: Random, series: DamagedSeries) -> None:
    for z, ds in enumerate(deepcopy(series.slices)):
        ds.PatientID, ds.PatientName = "4712", "Roe^Richard"
        ds.SeriesInstanceUID = "1.2.3.4"
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.4.{z}"
        series.slices.append(ds)


@KINDS.of(*ANY_NATIVE)
def missing_patient(rng: Random, series: DamagedSeries) -> None:
    remove(some(rng, series), rng.choice(("PatientName", "PatientID")))(series.slices)


@KINDS.of(*ANY_NATIVE)
def mixed_studies(rng: Random, series: DamagedSeries) -> None:
    put(some(rng, series), "StudyInstanceUID", "1.2.3")(series.slices)


@KINDS.of(*ANY_NATIVE)
def mixed_frames(rng: Random, series: DamagedSeries) -> None:
    for k in some(rng, series):
        uid = "1.2.3" if rng.random() < 0.5 else generate_uid(entropy_srcs=[str(rng.random())])
        put(k, "FrameOfReferenceUID", uid)(series.slices)


@KINDS.of(*ANY_NATIVE)
def mixed_series(rng: Random, series: DamagedSeries) -> None:
    """Slices that state another series are another series, and are listed as one."""
    places = some(rng, series)
    series.lost_slices = max(len(places), 12 - len(places))
    if rng.random() < 0.3:
        remove(places, "SeriesInstanceUID")(series.slices)
    else:
        put(places, "SeriesInstanceUID", "1.2.3")(series.slices)


@KINDS.of(*ANY_NATIVE)
def shared_instance_uid(rng: Random, series: DamagedSeries) -> None:
    uid = series.slices[0].SOPInstanceUID
    for k in some(rng, series):
        series.slices[k].SOPInstanceUID = uid
        series.slices[k].file_meta.MediaStorageSOPInstanceUID = uid


@KINDS.of(*ANY_NATIVE)
def missing_uids(rng: Random, series: DamagedSeries) -> None:
    keyword = rng.choice(("StudyInstanceUID", "FrameOfReferenceUID", "SOPClassUID"))
    remove(one_or_all(rng, series), keyword)(series.slices)


@KINDS.of(*ANY_NATIVE)
def mixed_acquisitions(rng: Random, series: DamagedSeries) -> None:
    put(None, "AcquisitionNumber", 1)(series.slices)
    put(some(rng, series), "AcquisitionNumber", 2)(series.slices)


@KINDS.of(*ANY_NATIVE)
def mixed_phases(rng: Random, series: DamagedSeries) -> None:
    put(None, "TemporalPositionIdentifier", 1)(series.slices)
    put(some(rng, series), "TemporalPositionIdentifier", 2)(series.slices)


@KINDS.of(*ANY_ENCODING)
def wrong_modality(rng: Random, series: DamagedSeries) -> None:
    kind = rng.choice(("MR", "PT", "US", "OT", "SEG", "RTDOSE", "ct ", "XX", ""))
    put(one_or_all(rng, series), "Modality", kind)(series.slices)


@KINDS.of(*ANY_NATIVE)
def wrong_image_type(rng: Random, series: DamagedSeries) -> None:
    kind = rng.choice(
        (
            ["ORIGINAL", "PRIMARY", "LOCALIZER"],
            ["DERIVED", "PRIMARY", "MIP"],
            ["DERIVED", "PRIMARY", "PERFUSION"],
            ["DERIVED", "SECONDARY", "MINIP"],
            ["DERIVED", "PRIMARY", "IODINE"],
        )
    )
    put(one_or_all(rng, series), "ImageType", kind)(series.slices)


@KINDS.of(*ANY_NATIVE)
def another_kind_of_object(rng: Random, series: DamagedSeries) -> None:
    kind = rng.choice(("1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.7.2"))
    put(one_or_all(rng, series), "SOPClassUID", kind)(series.slices)


@KINDS.of(*ANY_NATIVE)
def wrong_numbers(rng: Random, series: DamagedSeries) -> None:
    """Only describe the slices, whose positions are right."""
    for k in some(rng, series):
        put(k, "InstanceNumber", rng.choice(("", "1.5", str(rng.randrange(99)))))(series.slices)
