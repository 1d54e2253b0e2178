"""May a series be trusted? One plain function per doubt, in the order of the questions.

Each takes what it judges and returns an error or None. All are asked, so that a report can name
every fault; the first one found is the series' verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nodule.ct.dicom import _syntaxes
from nodule.ct.dicom._grid import stack_images
from nodule.ct.dicom._headers import ImageHeader
from nodule.ct.dicom._identity_checks import IDENTITY_CHECKS, INSTANCE_CHECKS, differ_in
from nodule.ct.dicom._stack_checks import EXPORT_HINT, MAX_SPACING_MM, STACK_CHECKS
from nodule.errors import DicomSeriesError, NoduleError
from nodule.geometry import Geometry

MIN_SLICES = 3  # the fewest whose two gaps can be compared
MAX_VOXELS = 1 << 29  # 512 x 512 x 2048, 2 GiB as float32
MAX_FIELD_MM3 = 1 << 30  # 820 x 820 x 1,590 mm, a whole body; 4 GiB as float32 of 1 mm
MAX_ORIGIN_MM = 100_000.0  # beyond, rounding alone moves voxels
MAX_OBLIQUE_COSINE = 0.7071  # the normal within 45 degrees of the body's axis
ORIENTATION_TOLERANCE = 5e-4  # 0.2 mm at the edge of a field of 400 mm; rounding to 3 decimals
UNIT_TOLERANCE = 1e-3
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_PROJECTIONS = frozenset(
    {"MIP", "MINIP", "MIN_IP", "MAX_IP", "PROJECTION IMAGE", "MAXIMUM", "MINIMUM"}
)
# how words of an image type begin that mean another quantity, or other HU than a scan's
_NOT_DENSITY = (
    # derived pixel contrast, PS3.3 C.8.16.1.4
    *("STD_DEVIATION", "SUBTRACTION", "DIVISION", "MULTIPLICATION", "ADDITION", "QUANTITY"),
    # multi-energy images, PS3.3 C.8.2.1.1.1
    *("VMI", "MAT_", "EFF_ATOMIC", "ELECTRON_DENSITY"),
    # as makers call these and others
    *("MONOE", "MONO_", "MONOCHROM", "IODINE", "VNC", "VIRTUAL_NON", "Z_EFF", "EFFECTIVE_Z"),
    *("URIC", "CALCIUM_SUPP", "PERFUSION", "PBV", "DOSE"),
)
# the defined terms, and what writers spell out
_HU_NAMES = (
    "HU",
    "HU_MOD",
    "US",
    "HOUNSFIELD",
    "HOUNSFIELD UNIT",
    "HOUNSFIELD UNITS",
    "UNSPECIFIED",
)

Images = Sequence[ImageHeader]


def problems_of(images: Images) -> tuple[NoduleError, ...]:
    """Return every reason not to trust the images as one CT volume, empty if there is none."""
    found = [p for check in IMAGE_CHECKS if (p := check(images)) is not None]
    if not any(_is_placed(image) is False for image in images) and len(images) > 1:
        stack = stack_images(images)
        found += [p for check in STACK_CHECKS if (p := check(stack)) is not None]
    return tuple(found)


def _is_placed(image: ImageHeader) -> bool:
    if image.position_lps_mm is None or image.orientation is None:
        return False
    row, column = np.asarray(image.orientation[:3]), np.asarray(image.orientation[3:])
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    return bool(np.allclose(lengths, 1, atol=UNIT_TOLERANCE) and abs(row @ column) < UNIT_TOLERANCE)


def _no_localizer(images: Images) -> NoduleError | None:
    scouts = [i for i in images if {"LOCALIZER", "SCOUT"} & set(i.image_type)]
    if not scouts:
        return None
    return DicomSeriesError(
        "a series holds localizer images",
        code="LOCALIZER",
        expected="axial slices",
        got=f"{len(scouts)} of {len(images)} images are localizers",
        hint=EXPORT_HINT,
    )


def _axial_images(images: Images) -> NoduleError | None:
    for image in images:
        reason = _not_axial(image)
        if reason:
            return DicomSeriesError(
                "a series is not an axial volume",
                code="NOT_AXIAL_VOLUME",
                expected="grey axial slices as the scanner reconstructed them",
                got=f"{reason} in {image.where}",
                hint=EXPORT_HINT,
            )
    return None


def _not_axial(image: ImageHeader) -> str | None:
    if image.pixel_format.samples != 1:
        return "a colour image"
    if image.pixel_format.photometric not in ("MONOCHROME1", "MONOCHROME2"):
        return f"photometric interpretation {image.pixel_format.photometric[:16]}"
    if (image.sop_class_uid or "").startswith(_SECONDARY_CAPTURE):
        return "a secondary capture"
    if _PROJECTIONS & set(image.image_type):
        return "a projection through several slices"
    if _is_placed(image) and image.orientation is not None:
        normal = np.cross(image.orientation[:3], image.orientation[3:])
        if abs(normal[2]) < MAX_OBLIQUE_COSINE:
            return "a sagittal, coronal or steeply oblique plane"
    return None


def _placed_images(images: Images) -> NoduleError | None:
    lost = [i for i in images if not _is_placed(i)]
    if not lost:
        return None
    return DicomSeriesError(
        "images do not state their position",
        code="NO_POSITION",
        expected="ImagePositionPatient, and ImageOrientationPatient of two orthogonal unit vectors",
        got=f"{len(lost)} of {len(images)} images without, {lost[0].where} first",
        hint=EXPORT_HINT,
    )


def _stated_spacing(images: Images) -> NoduleError | None:
    for image in images:
        spacings = image.row_spacing_mm, image.column_spacing_mm
        if not all(s is not None and 0.01 < s < MAX_SPACING_MM for s in spacings):
            return DicomSeriesError(
                "an image does not state the size of its pixels",
                code="NO_PIXEL_SPACING" if spacings[0] is None else "BAD_SPACING",
                expected=f"two lengths between 0.01 and {MAX_SPACING_MM} mm",
                got=f"{spacings} in {image.where}",
                hint=EXPORT_HINT,
            )
    return None


def _one_orientation(images: Images) -> NoduleError | None:
    known = np.asarray([i.orientation for i in images if i.orientation is not None])
    if len(known) < 2 or np.abs(known - known[0]).max() <= ORIENTATION_TOLERANCE:
        return None
    return DicomSeriesError(
        "the images of a series lie in different planes",
        code="INCONSISTENT_ORIENTATION",
        expected=f"one ImageOrientationPatient within {ORIENTATION_TOLERANCE}",
        got=f"a difference of {np.abs(known - known[0]).max():.4f}",
        hint="The export may have merged several series: export this one alone.",
    )


def _one_matrix(images: Images) -> NoduleError | None:
    return differ_in(
        images,
        lambda i: (i.pixel_format.rows, i.pixel_format.columns),
        "rows and columns",
        "INCONSISTENT_MATRIX",
    )


def _one_pixel_spacing(images: Images) -> NoduleError | None:
    return differ_in(
        images,
        lambda i: (round(i.row_spacing_mm or 0, 5), round(i.column_spacing_mm or 0, 5)),
        "pixel spacing",
        "INCONSISTENT_SPACING",
    )


def _ct_modality(images: Images) -> NoduleError | None:
    others = sorted({(i.modality or "none")[:16] for i in images} - {"CT"})
    if not others:
        return None
    return DicomSeriesError(
        "a series is not CT",
        code="NOT_CT",
        expected="modality CT",
        got=", ".join(others),
        hint="Give a chest CT.",
    )


def _hounsfield(images: Images) -> NoduleError | None:
    for image in images:
        reason = _not_hounsfield(image)
        if reason:
            return DicomSeriesError(
                "stored values cannot be turned into Hounsfield units",
                code="NOT_HU",
                expected="RescaleSlope and RescaleIntercept to HU",
                got=f"{reason} in {image.where}",
                hint=EXPORT_HINT,
            )
    return None


def _not_hounsfield(image: ImageHeader) -> str | None:
    if image.slope is None or image.intercept is None:
        return "no rescale"
    if image.slope == 0:
        return "a slope of zero"
    if (image.rescale_type or "HU").upper() not in _HU_NAMES:
        return f"rescale type {(image.rescale_type or '')[:16]}"
    if image.pixel_format.photometric == "MONOCHROME1":
        return "inverted grey values"
    words = [word for word in image.image_type if word.startswith(_NOT_DENSITY)]
    return f"image type {words[0][:32]}" if words else None


def _readable_syntax(images: Images) -> NoduleError | None:
    unknown = {i.transfer_syntax for i in images} - _syntaxes.NATIVE - _syntaxes.COMPRESSED
    if not unknown:
        return None
    return DicomSeriesError(
        "a series has an encoding that is not supported",
        code="UNSUPPORTED_SYNTAX",
        expected="uncompressed, deflated, RLE, JPEG, JPEG-LS or JPEG 2000",
        got=min(unknown)[:64],
        hint="Convert it with dcmtk's dcmdjpeg or GDCM's gdcmconv.",
    )


def _budget(images: Images) -> NoduleError | None:
    voxels = sum(i.pixel_format.rows * i.pixel_format.columns for i in images)
    return too_large(voxels)


def too_large(voxels: int) -> NoduleError | None:
    """Refuse a volume that would not fit into memory, before any is taken."""
    if voxels <= MAX_VOXELS:
        return None
    return DicomSeriesError(
        "a volume is larger than can be read",
        code="TOO_LARGE",
        expected=f"at most {MAX_VOXELS} voxels",
        got=voxels,
        hint="Crop or resample it first.",
    )


def too_wide(geometry: Geometry) -> NoduleError | None:
    """Refuse a field so large that its grid of 1 mm would not fit into memory, or so far away."""
    farthest_mm = float(np.abs(geometry.origin_lps_mm).max())
    if farthest_mm > MAX_ORIGIN_MM:
        return DicomSeriesError(
            "a volume lies farther away than a scanner reaches",
            code="BAD_ORIGIN",
            expected=f"a first voxel within {MAX_ORIGIN_MM:.0f} mm",
            got=f"{farthest_mm:g} mm",
            hint=EXPORT_HINT,
        )
    extent_mm = np.abs(geometry.affine[:3, :3]) @ np.asarray(geometry.shape_zyx, float)
    if np.prod(np.maximum(extent_mm, 1.0)) <= MAX_FIELD_MM3:
        return None
    return DicomSeriesError(
        "a volume covers more than a scanner can",
        code="TOO_LARGE",
        expected=f"at most {MAX_FIELD_MM3} mm³",
        got=" x ".join(f"{mm:.0f}" for mm in extent_mm) + " mm",
        hint="The header may state another unit than millimetres; or crop it first.",
    )


def _enough_slices(images: Images) -> NoduleError | None:
    return too_few(len(images))


def too_few(slices: int) -> NoduleError | None:
    """Refuse what has too few slices for a volume."""
    if slices >= MIN_SLICES:
        return None
    return DicomSeriesError(
        "a series has too few slices for a volume",
        code="TOO_FEW_SLICES",
        expected=f"at least {MIN_SLICES}",
        got=slices,
        hint="Give the folder that holds the whole series, not one of its files.",
    )


IMAGE_CHECKS: tuple[Callable[[Images], NoduleError | None], ...] = (
    _no_localizer,
    _one_orientation,
    _ct_modality,
    _axial_images,
    _placed_images,
    _stated_spacing,
    _hounsfield,
    *IDENTITY_CHECKS,
    _one_matrix,
    _one_pixel_spacing,
    _readable_syntax,
    _enough_slices,
    _budget,
    *INSTANCE_CHECKS,
)
