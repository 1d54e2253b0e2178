"""Crop sets from the public collections, LIDC-IDRI and LUNA16, as they are downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from nodule.ct import SeriesSource, inventory, read_ct, read_source
from nodule.errors import InputError
from nodule.lidc import (
    LidcReadings,
    LunaFinding,
    dicom_folders,
    find_scans,
    findings_by_series,
    holds_ct_readings,
    holds_dicom,
    nodules_on,
    read_lidc_xml,
    xml_files,
)
from nodule.training._crop_set_writing import Row, write_stacks
from nodule.training._nodule_stack import NoduleStack


class LidcCollection:
    """LIDC-IDRI as TCIA gives it: CT series and the readers' XML, at any depth below a folder.

    The XML may lie beside the images or in a tree of its own.

    Attributes
    ----------
    inputs : the readings of CT, one XML file a series.
    foreign : XML files that hold no readings of CT, such as those of chest radiographs.
    """

    def __init__(self, root: Path) -> None:
        paths = xml_files(root)
        readings = {path for path in paths if holds_ct_readings(path)}
        self.inputs = tuple(path for path in paths if path in readings)
        self.foreign = tuple(path for path in paths if path not in readings)
        self._root = root
        self._seen: dict[str, Path] = {}

    def cut(self, path: Path, *, folder: Path, margin_mm: float) -> list[Row]:
        """Cut the nodules of one of the :attr:`inputs` out of its series, into a crop set.

        Parameters
        ----------
        path : the readings.
        folder : of the crop set.
        margin_mm : tissue kept around a nodule on all sides.

        Returns
        -------
        The rows of the crop set's table.

        Raises
        ------
        InputError : ``REPEATED_READINGS`` for a series that was cut already, ``NO_SERIES`` where
            its images are not there.
        NoduleError : why the series or its readings cannot be used.
        """
        readings = read_lidc_xml(path)
        self._refuse_repeated(readings, path)
        source = self._series(readings, near=path.parent)
        study = read_source(source)
        stacks = [
            NoduleStack.of_lidc(nodule, study=study, margin_mm=margin_mm)
            for nodule in nodules_on(study, readings)
        ]
        patient_id = source.patient.patient_id or readings.series_instance_uid
        return write_stacks(folder, study=study, patient_id=patient_id, stacks=stacks)

    def _refuse_repeated(self, readings: LidcReadings, path: Path) -> None:
        first = self._seen.setdefault(readings.series_instance_uid, path)
        if first != path:
            raise InputError(
                "two files hold readings of one series",
                code="REPEATED_READINGS",
                got=f"{first.name} and {path.name}",
                hint="Leave one copy of the readers' XML below the folder",
            )

    def _series(self, readings: LidcReadings, *, near: Path) -> SeriesSource:
        """Return the series read: from the folder ``near`` if it has images, else from any."""
        series_uid = readings.series_instance_uid
        if holds_dicom(near):
            return inventory(near).choose(series_uid or None)
        if series_uid not in self._folders:
            raise InputError(
                "the images of a reading are missing", code="NO_SERIES", expected=series_uid
            )
        return inventory(self._folders[series_uid]).choose(series_uid)

    @cached_property
    def _folders(self) -> Mapping[str, Path]:
        found: dict[str, Path] = {}
        for folder, series in dicom_folders(self._root):
            for each in series:
                found.setdefault(each.uid, folder)
        return found


class Luna16Collection:
    """LUNA16: ``subset*/*.mhd`` and ``annotations.csv``, at any depth below a folder.

    LUNA16 gives centres and diameters but no masks or ratings, so those are empty, and patients
    are told apart by their series. Folds are the subsets' numbers.

    Attributes
    ----------
    inputs : the scans with nodules.
    """

    def __init__(self, root: Path) -> None:
        scans = {scan.path: scan for scan in find_scans(root) if scan.readings is not None}
        findings: dict[str, tuple[LunaFinding, ...]] = {}
        for table in {scan.readings for scan in scans.values() if scan.readings}:
            findings |= findings_by_series(table)
        self.inputs = tuple(path for path in scans if path.stem in findings)
        self._scans = scans
        self._findings = findings

    def cut(self, path: Path, *, folder: Path, margin_mm: float) -> list[Row]:
        """Cut the nodules of one of the :attr:`inputs`, as :meth:`LidcCollection.cut`.

        Raises
        ------
        NoduleError : why the scan cannot be used.
        """
        scan = self._scans[path]
        study = read_ct(path)
        # a MetaImage file knows its series by its name only
        named = replace(study, series=replace(study.series, series_instance_uid=scan.patient))
        stacks = [
            NoduleStack.of_place(
                finding.center_lps_mm,
                diameter_mm=finding.diameter_mm or 0.0,
                study=named,
                margin_mm=margin_mm,
            )
            for finding in self._findings[path.stem]
        ]
        return write_stacks(
            folder, study=named, patient_id=scan.patient, stacks=stacks, fold=scan.fold
        )
