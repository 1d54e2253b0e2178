"""Results to an archive: by C-STORE (PS3.4 B) or STOW-RS (PS3.18 10.5)."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom

from nodule.errors import InputError, NoduleError, UsageError
from pipelines.pacs._addresses import DicomNode, DicomWeb

_TIMEOUT_S = 30.0
_WARNINGS = range(0xB000, 0xC000)
_FAILED_SOPS = "FailedSOPSequence"


@dataclass(frozen=True, kw_only=True)
class SentFile:
    """What became of one file.

    Parameters
    ----------
    file : as it was given.
    sop_instance_uid : of its object.
    refused : why the archive did not take it; None where it did.
    """

    file: Path
    sop_instance_uid: str
    refused: NoduleError | None = None


def send(files: Sequence[Path], address: DicomNode | DicomWeb) -> tuple[SentFile, ...]:
    """Store DICOM files in an archive, and return what became of each.

    An object that the archive has already is the same object there: its UID is derived from what it
    says, so that sending again changes nothing.

    Raises
    ------
    UsageError : ``NO_PACS_PACKAGES``.
    InputError : ``NO_ANSWER`` where the archive cannot be reached or breaks off; ``NOT_DICOM``.
    """
    headers = [_header(file) for file in files]
    if not headers:
        return ()
    if isinstance(address, DicomNode):
        refusals = _by_c_store(files, headers, address)
    else:
        refusals = _by_stow(files, address)
    return tuple(
        SentFile(file=file, sop_instance_uid=str(header.SOPInstanceUID), refused=refused)
        for file, header, refused in zip(files, headers, refusals, strict=True)
    )


def _header(file: Path) -> pydicom.Dataset:
    try:
        header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["SOPInstanceUID"])
        if "SOPInstanceUID" not in header:
            raise ValueError("it names no object")
    except (pydicom.errors.InvalidDicomError, EOFError, ValueError) as error:
        raise InputError(f"{file.name} is not a DICOM file", code="NOT_DICOM", got=error) from None
    return header


def _by_c_store(
    files: Sequence[Path], headers: Sequence[pydicom.Dataset], node: DicomNode
) -> list[NoduleError | None]:
    contexts = {
        (header.file_meta.MediaStorageSOPClassUID, header.file_meta.TransferSyntaxUID)
        for header in headers
    }
    with associated(node, sorted(contexts)) as association:
        refusals: list[NoduleError | None] = []
        for file in files:
            try:
                status = association.send_c_store(str(file))
            except ValueError as error:  # no context for it was accepted
                refusals.append(_refused(file, str(error)))
                continue
            if "Status" not in status:
                raise no_answer(node, "the association broke off")
            code = int(status.Status)
            taken = code == 0 or code in _WARNINGS
            refusals.append(None if taken else _refused(file, f"status 0x{code:04X}"))
    return refusals


@contextmanager
def associated(node: DicomNode, contexts: Sequence[tuple[str, str]]) -> Iterator[Any]:
    """Yield an association with a node, released behind the block.

    Parameters
    ----------
    contexts : abstract and transfer syntax of each context that is asked for.

    Raises
    ------
    UsageError : ``NO_PACS_PACKAGES``.
    InputError : ``NO_ANSWER`` where the node refuses the association or does not answer.
    """
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)  # what it tells is raised, too
    entity = _import("pynetdicom").AE(ae_title=node.own_ae_title)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = _TIMEOUT_S
    entity.connection_timeout = _TIMEOUT_S
    for abstract, transfer in contexts:
        entity.add_requested_context(abstract, transfer)
    association = entity.associate(node.host, node.port, ae_title=node.ae_title)
    if not association.is_established:
        refused = association.is_rejected
        raise no_answer(node, "it refuses the association" if refused else "nothing listens there")
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def _by_stow(files: Sequence[Path], service: DicomWeb) -> list[NoduleError | None]:
    datasets = [pydicom.dcmread(file) for file in files]
    answer = ask_service(service, lambda client: client.store_instances(datasets))
    failed = {
        str(item.ReferencedSOPInstanceUID): f"reason 0x{int(item.get('FailureReason', 0)):04X}"
        for item in answer.get(_FAILED_SOPS, [])
    }
    uids = [str(dataset.SOPInstanceUID) for dataset in datasets]
    return [
        _refused(file, failed[uid]) if uid in failed else None
        for file, uid in zip(files, uids, strict=True)
    ]


def ask_service(service: DicomWeb, question: Callable[[Any], Any]) -> Any:
    """Return what a DICOMweb service answers; names and passwords come from ``~/.netrc``.

    Parameters
    ----------
    question : called with a `dicomweb_client.api.DICOMwebClient`.

    Raises
    ------
    UsageError : ``NO_PACS_PACKAGES``.
    InputError : ``NO_ANSWER``.
    """
    api = _import("dicomweb_client.api")
    requests = _import("requests")
    client = api.DICOMwebClient(url=service.root, timeout=_TIMEOUT_S)
    try:
        return question(client)
    except requests.RequestException as error:
        status = getattr(error.response, "status_code", None)
        said = type(error).__name__ if status is None else f"status {status}"
        raise no_answer(service, said) from None


def no_answer(address: DicomNode | DicomWeb, got: str) -> InputError:
    """Return the error for an archive that does not do what it was asked for."""
    return InputError(
        f"{address} does not answer as it should",
        code="NO_ANSWER",
        got=got,
        hint="Check address, titles and rights; the same command goes on where it stopped.",
    )


def _refused(file: Path, got: str) -> InputError:
    return InputError(f"the archive refuses {file.name}", code="STORE_REFUSED", got=got)


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise UsageError(
            "archives need pynetdicom and dicomweb-client",
            code="NO_PACS_PACKAGES",
            hint="Install nodule[pacs].",
        ) from None
