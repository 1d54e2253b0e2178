"""Archives of hospitals: results to them, studies from them."""

from pipelines.pacs._addresses import (
    DicomNode,
    DicomWeb,
    StudyAddress,
    parse_address,
    parse_study_address,
)
from pipelines.pacs._fetching import fetch_study
from pipelines.pacs._sending import SentFile, ask_service, associated, send

__all__ = [
    "DicomNode",
    "DicomWeb",
    "SentFile",
    "StudyAddress",
    "ask_service",
    "associated",
    "fetch_study",
    "parse_address",
    "parse_study_address",
    "send",
]
