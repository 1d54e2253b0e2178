"""The codes with which DICOM objects speak of lung nodules.

Of public schemes where they have the concept. Ratings take the codes of LIDC's own DICOM
re-encoding (TCIA, 10.7937/TCIA.2018.h7umfurq), so that both can be searched alike.
"""

from __future__ import annotations

from types import MappingProxyType

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

LUNG = codes.SCT.Lung
SIDES = MappingProxyType({"right": codes.SCT.Right, "left": codes.SCT.Left})
LOBES = MappingProxyType(  # each names its own side
    {
        "RUL": Code("42400003", "SCT", "Structure of upper lobe of right lung"),
        "RML": Code("72481006", "SCT", "Middle lobe of right lung"),
        "RLL": Code("266005", "SCT", "Structure of lower lobe of right lung"),
        "LUL": Code("44714003", "SCT", "Structure of upper lobe of left lung"),
        "LLL": Code("41224006", "SCT", "Structure of lower lobe of left lung"),
    }
)
ANATOMY = codes.SCT.AnatomicalStructure
ABNORMALITY = codes.SCT.MorphologicallyAbnormalStructure
SCOPES = MappingProxyType({"nodule": codes.SCT.Nodule, "mass": codes.SCT.Mass})

PRESENCE = Code("705057003", "SCT", "Presence")
ABSENT = codes.SCT.Absent
PRESENT = codes.SCT.Present

CT_PROCEDURE = Code("24627-2", "LN", "CT Chest")  # CID 100 is extensible and has no chest
DEVICE = codes.DCM.Device
PERSON = codes.DCM.Person
AI = codes.DCM.ArtificialIntelligence

MEASUREMENTS = codes.DCM.ImagingMeasurements
EVALUATIONS = Code("C0034375", "UMLS", "Qualitative Evaluations")
LANGUAGE = Code("en-US", "RFC5646", "English (United States)")
REPORT_TITLE = codes.DCM.ImagingMeasurementReport
PROCEDURE_REPORTED = codes.DCM.ProcedureReported
COMMENT = codes.DCM.Comment
SOURCE_SERIES = Code("121232", "DCM", "Source series for segmentation")
KEY_OBJECTS = codes.DCM.OfInterest

VERDICT = Code("5", "99NODULE", "Reader's verdict")
VERDICTS = MappingProxyType(
    {
        "accepted": Code("6", "99NODULE", "Accepted by the reader"),
        "rejected": Code("7", "99NODULE", "Rejected by the reader"),
        "added": Code("8", "99NODULE", "Added by the reader"),
    }
)
STATEMENT = Code("9", "99NODULE", "Reader's statement")

LONG_AXIS = codes.SCT.LongAxis
SHORT_AXIS = codes.SCT.ShortAxis
DIAMETER = codes.SCT.Diameter
EFFECTIVE_DIAMETER = Code("1", "99NODULE", "Diameter of sphere of equal volume")
SOLID_LONG_AXIS = Code("2", "99NODULE", "Long axis of solid component")
SOLID_SHORT_AXIS = Code("3", "99NODULE", "Short axis of solid component")
SOLID_VOLUME = Code("4", "99NODULE", "Volume of solid component")
VOLUME = codes.SCT.Volume
VOXEL_SUM = Code("126030", "DCM", "Sum of segmented voxel method for volume")
ATTENUATION = codes.DCM.AttenuationCoefficient
SPHERICITY = Code("QCFX", "IBSI", "Sphericity")
CERTAINTY = codes.DCM.CertaintyOfFinding
MEAN = codes.SCT.Mean

MILLIMETER = codes.UCUM.Millimeter
CUBIC_MILLIMETER = codes.UCUM.CubicMillimeter
PERCENT = codes.UCUM.Percent
HOUNSFIELD = codes.UCUM.HounsfieldUnit
NO_UNITS = codes.UCUM.NoUnits

MALIGNANCY = Code("RID36042", "RADLEX", "Malignancy")
MALIGNANCY_RATINGS = (
    Code("901", "99LIDCQIICR", "1 out of 5 (Highly Unlikely for Cancer)"),
    Code("902", "99LIDCQIICR", "2 out of 5 (Moderately Unlikely for Cancer)"),
    Code("903", "99LIDCQIICR", "3 out of 5 (Indeterminate Likelihood)"),
    Code("904", "99LIDCQIICR", "4 out of 5 (Moderately Suspicious for Cancer)"),
    Code("905", "99LIDCQIICR", "5 out of 5 (Highly Suspicious for Cancer)"),
)

DIFFERENCE = codes.DCM.QualitativeDifference
DIFFERENCES = MappingProxyType(  # CID 6134, by the first word of a growth class
    {
        "growing": Code("15454001", "SCT", "Increase in size"),
        "decreasing": Code("19776001", "SCT", "Decrease in size"),
        "stable": Code("129723006", "SCT", "No significant changes in the finding"),
    }
)

LUNG_RADS = Code("1362105002", "SCT", "Lung Imaging Reporting and Data System category")

TEXTURE = Code("C41144", "NCIt", "Texture")
TEXTURES = MappingProxyType(
    {
        "solid": Code("RID50151", "RADLEX", "Solid pulmonary nodule"),
        "calcified": Code("RID50151", "RADLEX", "Solid pulmonary nodule"),
        "part-solid": Code("RID50152", "RADLEX", "Part-solid pulmonary nodule"),
        "ground-glass": Code("RID50153", "RADLEX", "Non-solid pulmonary nodule"),
    }
)


def lung_rads_category(version: str, category: str) -> Code:
    """Return a category's code, of our own: no public scheme has codes for the single ones."""
    year = version.removeprefix("v").replace(".", "")
    return Code(f"LR{year}-{category}", "99NODULE", f"Lung-RADS {version} category {category}")


PRIVATE_SCHEMES = MappingProxyType(
    {
        "99NODULE": "nodule's own codes",
        "99LIDCQIICR": "LIDC-IDRI qualitative ratings as coded by QIICR",
    }
)
