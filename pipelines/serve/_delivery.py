"""Results to their archives, in threads: tried again until they are taken, or refused for good."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from nodule.errors import InputError
from pipelines.pacs import DicomNode, DicomWeb, SentFile, associated, send

STORAGE_COMMITMENT = "1.2.840.10008.1.20.1"
"""The push model's SOP class (PS3.4 J)."""

_COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"
_EXPLICIT = "1.2.840.10008.1.2.1"
_REQUEST_COMMITMENT = 1  # PS3.4 J.3.2


def deliver(
    files: Sequence[Path], address: DicomNode | DicomWeb, *, transaction: str | None
) -> None:
    """Store results in an archive, and ask it to commit where that is wanted.

    Parameters
    ----------
    transaction : UID of the request to commit, of a `DicomNode` alone; None to ask nothing.

    Raises
    ------
    NoduleError : ``NO_ANSWER``; ``STORE_REFUSED``; ``NO_COMMITMENT`` where it does not take the
        request.
    """
    sent = send(files, address)
    for each in sent:
        if each.refused is not None:
            raise each.refused
    if transaction is not None and isinstance(address, DicomNode):
        _ask_to_commit(sent, address, transaction)


def new_transaction() -> str:
    """Return a UID for a request to commit."""
    return str(generate_uid())


def _ask_to_commit(sent: Sequence[SentFile], node: DicomNode, transaction: str) -> None:
    asked = Dataset()
    asked.TransactionUID = transaction
    asked.ReferencedSOPSequence = [_reference(each) for each in sent]
    with associated(node, [(STORAGE_COMMITMENT, _EXPLICIT)]) as association:
        try:
            status, _ = association.send_n_action(
                asked,
                _REQUEST_COMMITMENT,
                STORAGE_COMMITMENT,
                _COMMITMENT_INSTANCE,
            )
        except ValueError as error:
            raise _no_commitment(str(error)) from None
    if "Status" not in status or status.Status != 0:
        raise _no_commitment(f"status 0x{int(status.get('Status', 0xFFFF)):04X}")


def _reference(sent: SentFile) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = pydicom.dcmread(
        sent.file, specific_tags=["SOPClassUID"], stop_before_pixels=True
    ).SOPClassUID
    item.ReferencedSOPInstanceUID = sent.sop_instance_uid
    return item


def _no_commitment(got: str) -> InputError:
    return InputError(
        "the archive does not take a request to commit", code="NO_COMMITMENT", got=got
    )
