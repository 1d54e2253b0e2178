"""CT input: what is there, may it be trusted, and its voxels in Hounsfield units."""

from nodule.ct._inventory import inventory
from nodule.ct._read import read_ct, read_source
from nodule.ct._series import IgnoredFile, Inventory, SeriesRecord, SeriesSource
from nodule.ct.dicom._syntaxes import READABLE as READABLE_SYNTAXES
from nodule.ct.stage import ReadCt

__all__ = [
    "READABLE_SYNTAXES",
    "IgnoredFile",
    "Inventory",
    "ReadCt",
    "SeriesRecord",
    "SeriesSource",
    "inventory",
    "read_ct",
    "read_source",
]
