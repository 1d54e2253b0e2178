"""What an archive is called: a DICOM node, or the root of a DICOMweb service."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from nodule.errors import UsageError

OWN_AE_TITLE = "NODULE"
_AE_TITLE = re.compile(r"[\x21-\x5b\x5d-\x7e]{1,16}")  # PS3.5 6.2, no inner spaces
_STUDY = re.compile(r"(?P<root>https?://.+)/studies/(?P<uid>[0-9.]{1,64})/?")
_KINDS = "dicom://AE_TITLE@HOST:PORT or http(s)://HOST/dicom-web"


@dataclass(frozen=True, kw_only=True)
class DicomNode:
    """An application entity that takes associations.

    Parameters
    ----------
    ae_title : of the node.
    host, port : where it listens.
    own_ae_title : as which it is called.
    """

    ae_title: str
    host: str
    port: int
    own_ae_title: str = OWN_AE_TITLE

    def __str__(self) -> str:
        """Return the address as it is given."""
        return f"dicom://{self.ae_title}@{self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class DicomWeb:
    """A DICOMweb service (PS3.18).

    Parameters
    ----------
    root : URL above ``/studies``.
    """

    root: str

    def __str__(self) -> str:
        """Return the address as it is given."""
        return self.root


@dataclass(frozen=True, kw_only=True)
class StudyAddress:
    """One study of a DICOMweb service.

    Parameters
    ----------
    service : that has it.
    study_uid : its StudyInstanceUID.
    """

    service: DicomWeb
    study_uid: str


def parse_address(text: str) -> DicomNode | DicomWeb:
    """Return what an address names.

    Parameters
    ----------
    text : ``dicom://AE_TITLE@HOST:PORT``, with ``?calling=OWN_TITLE`` where the node knows this
        program by another title than ``NODULE``; or the root of a DICOMweb service.

    Raises
    ------
    UsageError : ``BAD_ADDRESS``.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _bad(text, got=error) from None
    if parts.scheme in ("http", "https") and parts.hostname:
        return DicomWeb(root=text.rstrip("/"))
    if parts.scheme != "dicom" or not parts.hostname or port is None:
        raise _bad(text, got=text)
    own = parse_qs(parts.query).get("calling", [OWN_AE_TITLE])[-1]
    for title in (parts.username or "", own):
        if not _AE_TITLE.fullmatch(title):
            raise _bad(text, got=f"the AE title {title!r}")
    return DicomNode(
        ae_title=parts.username or "", host=parts.hostname, port=port, own_ae_title=own
    )


def parse_study_address(text: str) -> StudyAddress | None:
    """Return the study that a URL ``ROOT/studies/UID`` names, None where it is no such URL."""
    match = _STUDY.fullmatch(text)
    if match is None:
        return None
    return StudyAddress(service=DicomWeb(root=match["root"]), study_uid=match["uid"])


def _bad(text: str, *, got: object) -> UsageError:
    return UsageError(
        "this is no address of an archive", code="BAD_ADDRESS", expected=_KINDS, got=got
    )
