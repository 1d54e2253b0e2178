"""DICOM and IHE conformance statements, read off the code and off objects that it writes.

``python tests/conformance/statements.py`` writes both into ``nodule/dicom``. Nothing in them is
typed that the code can tell: classes, attributes, templates, concepts and codes are those of
objects that are made here, of every kind of report that the tests of DICOM results know.
"""

from __future__ import annotations

import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
sys.path.append(str(Path(__file__).resolve().parents[1] / "nodule"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "nodule" / "dicom"))

import pydicom
from judged_studies import RECIPES, Recipe, make_series, make_study
from pydicom.datadict import keyword_for_tag
from pydicom.sr.coding import Code
from pydicom.uid import (
    UID,
    CTImageStorage,
    EnhancedCTImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
)

from nodule.ct.dicom._syntaxes import READABLE
from nodule.dicom import DicomOptions, codes, document_state, write_pdf_object
from nodule.dicom.source import STUDY_KEYWORDS

FOLDER = Path(__file__).resolve().parents[2] / "nodule" / "dicom"
DICOM, IHE = "CONFORMANCE.md", "AI_RESULTS.md"
_MADE = "Written by `python tests/conformance/statements.py` from the code; a test compares it."
READ = (CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage)
KINDS = (
    *("none", "axes and core", "no size", "category", "prior, growing", "added without a size"),
    *("review", "review, attested", "lobe RUL", "one without a segment"),
)
_EVERYTHING = Recipe(
    report=RECIPES["three"].report, options=DicomOptions(lungs=True, deflated=True)
)
_COPIED = frozenset(STUDY_KEYWORDS)
_BULK = frozenset({"PixelData", "EncapsulatedDocument"})
_PRIMITIVES = (  # IHE AI Results: what a result says, and by which value types
    ("Qualitative findings", "CODE", "group and exam"),
    ("Measurements", "NUM", "group"),
    ("Locations", "SCOORD", "on the key image"),
    ("Locations", "SCOORD3D", "in the patient"),
    ("Tracking identifiers", "UIDREF", "shared by SR and SEG"),
    ("Image references", "IMAGE", "image library, coordinates, segments; key objects"),
)


def written_objects(folder: Path) -> list[pydicom.Dataset]:
    """Write one object of every kind that a report can become, and read them back."""
    plain = make_series(folder / "plain", RECIPES["none"])
    recipes = {**{name: RECIPES[name] for name in KINDS}, "everything": _EVERYTHING}
    paths: list[Path] = []
    for name, recipe in recipes.items():
        paths += make_study(folder / name, recipe, plain)
    page = folder / "report.pdf"
    page.write_bytes(b"%PDF-1.4\n")
    paths.append(write_pdf_object(plain.report, page, source=plain.source))
    return [pydicom.dcmread(path) for path in paths]


def dicom_statement(objects: list[pydicom.Dataset]) -> str:
    """Return the DICOM conformance statement."""
    return "\n".join(
        [
            "# DICOM conformance statement",
            "",
            _MADE,
            "Research software, self-declared. The [README](README.md) says what objects mean.",
            "",
            *_classes(objects),
            *_services(),
            *_attributes(objects),
            *_content(objects),
            *_codes(objects),
            *_flags(),
        ]
    )


def ihe_statement(objects: list[pydicom.Dataset]) -> str:
    """Return the statement on IHE's profile AI Results."""
    reports = [each for each in objects if each.get("Modality") == "SR"]
    counted: dict[str, set[str]] = defaultdict(set)
    for report in reports:
        for path, item in _items(report):
            if item.ValueType == "IMAGE" or path[0].startswith(("Imaging Meas", "Qualitative")):
                counted[item.ValueType].add(path[-1])
    rows = [
        f"| {name} | {kind} | {where} | {', '.join(sorted(counted[kind]))} |"
        for name, kind, where in _PRIMITIVES
    ]
    return "\n".join(
        [
            "# IHE AI Results (AIR)",
            "",
            _MADE,
            "Self-declared, tested at no Connectathon; revision 1.3.",
            "",
            "| actor | supported |",
            "|---|---|",
            "| Evidence Creator | yes: results are stored beside their study |",
            "| Image Display, Image Manager, other actors | no |",
            "",
            "The root result is the SR (TID 1500). Results are DICOM objects; page and PDF are",
            "additional to them.",
            "",
            "| primitive | value type | where | concepts |",
            "|---|---|---|---|",
            *rows,
            "| Regions | Segmentation | segments that groups refer to | "
            f"{', '.join(sorted(set(_segment_types(objects))))} |",
            "| Parametric maps | none | | |",
            "",
            "| asked of results | here |",
            "|---|---|",
            "| the algorithm is identified | device observer with a UID, and algorithm "
            "identification in each group that software measured |",
            "| results are told from those of persons | observer context of each group of a "
            "reviewed report |",
            "| a negative result is stated | *Nodule = Absent* of the exam |",
            "| what a person decides of a result | *Reader's verdict*, comment, *Presence*, and "
            "the predecessor |",
            "",
        ]
    )


def _classes(objects: list[pydicom.Dataset]) -> Iterator[str]:
    yield from ["## Objects", "", "| SOP class | UID | read | written |", "|---|---|---|---|"]
    made = sorted({str(each.SOPClassUID) for each in objects})
    for uid in (*map(str, READ), *made):
        read, wrote = uid in READ, uid in made
        yield f"| {UID(uid).name} | {uid} | {_yes(read)} | {_yes(wrote)} |"
    syntaxes = sorted({str(each.file_meta.TransferSyntaxUID) for each in objects})
    yield from ["", "Transfer syntaxes written:", ""]
    yield from [f"- {UID(uid).name} ({uid})" for uid in syntaxes]
    yield from ["", "Transfer syntaxes read:", ""]
    yield from [f"- {UID(uid).name} ({uid})" for uid in sorted(READABLE)]
    sets = sorted({str(each.SpecificCharacterSet) for each in objects})
    yield from ["", f"Character sets written: {', '.join(sets)}.", ""]


def _services() -> Iterator[str]:
    yield from [
        "## Services",
        "",
        "| service | role | command |",
        "|---|---|---|",
        "| Storage | SCU | `nodule push` |",
        "| Store Transaction (STOW-RS) | user agent | `nodule push` |",
        "| Retrieve Transaction (WADO-RS) | user agent | `nodule run ADDRESS` |",
        "| Media | file set reader | `nodule run` of a folder, an archive file or a DICOMDIR |",
        "",
    ]


def _attributes(objects: list[pydicom.Dataset]) -> Iterator[str]:
    by_class: dict[str, list[pydicom.Dataset]] = defaultdict(list)
    for each in objects:
        by_class[str(each.SOPClassUID)].append(each)
    for uid, same in sorted(by_class.items()):
        yield from [f"## Attributes of {UID(uid).name}", "", "| tag | attribute | VR | value |"]
        yield "|---|---|---|---|"
        for tag in sorted({element.tag for each in same for element in each}):
            elements = [each[tag] for each in same if tag in each]
            value = _source_of(elements, always=len(elements) == len(same))
            yield f"| {tag} | {keyword_for_tag(tag)} | {elements[0].VR} | {value} |"
        yield ""


def _source_of(elements: list[pydicom.DataElement], *, always: bool) -> str:
    keyword = elements[0].keyword
    if keyword in _COPIED:
        return "of the images"
    if elements[0].VR == "SQ":
        said = "sequence"
    elif keyword in _BULK:
        said = "content"
    else:
        values = {str(element.value or "") for element in elements}
        fixed = len(values) <= 4 and not keyword.endswith(
            ("UID", "Date", "Time", "Number", "Versions")
        )
        said = " or ".join(sorted(filter(None, values))) if fixed else "generated"
        said = said if any(values) else "empty"
    return said if always else f"{said}; not in every object"


def _items(
    item: pydicom.Dataset, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], pydicom.Dataset]]:
    for child in item.get("ContentSequence", ()):
        name = child.get("ConceptNameCodeSequence")
        here = (*path, _said(name[0]) if name else child.ValueType)
        yield here, child
        yield from _items(child, here)


def _said(code: pydicom.Dataset) -> str:
    return f"{code.CodeMeaning} ({code.CodeValue}, {code.CodingSchemeDesignator})"


def _content(objects: list[pydicom.Dataset]) -> Iterator[str]:
    reports = [each for each in objects if each.get("Modality") == "SR"]
    seen: dict[tuple[tuple[str, ...], str, str], set[str]] = {}
    for report in reports:
        for path, item in _items(report):
            key = (path, str(item.RelationshipType), str(item.ValueType))
            templates = seen.setdefault(key, set())
            template = item.get("ContentTemplateSequence")
            if template:
                templates.add(f"TID {template[0].TemplateIdentifier}")
    yield from ["## Content of the SR", "", "| content item | relationship | type | template |"]
    yield "|---|---|---|---|"
    for (path, relationship, kind), templates in seen.items():
        if "Image Library" in path[0] and len(path) > 3:
            continue  # highdicom's TID 1600
        depth = "› " * (len(path) - 1)
        yield f"| {depth}{path[-1]} | {relationship} | {kind} | {', '.join(sorted(templates))} |"
    yield ""


def _codes(objects: list[pydicom.Dataset]) -> Iterator[str]:
    schemes: dict[str, int] = defaultdict(int)
    for each in objects:
        for item in each.iterall():
            if item.keyword == "CodingSchemeDesignator":
                schemes[str(item.value)] += 1
    yield from ["## Codes", "", f"Coding schemes: {', '.join(sorted(schemes))}.", ""]
    yield from ["| private code | scheme | meaning |", "|---|---|---|"]
    for said in sorted(set(_private(vars(codes)))):
        yield f"| {said.value} | {said.scheme_designator} | {said.meaning} |"
    yield from [
        "| LR*edition*-*category* | 99NODULE | Lung-RADS *edition* category *category* |",
        "",
    ]


def _private(values: object) -> Iterator[Code]:
    if isinstance(values, Code):
        if values.scheme_designator in codes.PRIVATE_SCHEMES:
            yield values
    elif isinstance(values, Mapping):
        for each in values.values():
            yield from _private(each)
    elif isinstance(values, tuple):
        for each in values:
            yield from _private(each)


def _segment_types(objects: list[pydicom.Dataset]) -> Iterator[str]:
    for each in objects:
        for segment in each.get("SegmentSequence", ()):
            yield _said(segment.SegmentedPropertyTypeCodeSequence[0])


def _flags() -> Iterator[str]:
    text = (document_state.__doc__ or "").partition("Decisions\n---------\n")[2]
    yield from ["## Flags", "", *text.strip().replace("* **", "- **").splitlines(), ""]


def _yes(value: bool) -> str:
    return "yes" if value else ""


def main() -> None:
    """Write both statements."""
    with tempfile.TemporaryDirectory() as folder:
        objects = written_objects(Path(folder))
    (FOLDER / DICOM).write_text(dicom_statement(objects), encoding="utf-8")
    (FOLDER / IHE).write_text(ihe_statement(objects), encoding="utf-8")


if __name__ == "__main__":
    main()
