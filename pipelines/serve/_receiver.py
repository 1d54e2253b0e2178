"""The service that takes images: C-ECHO and C-STORE (PS3.4 A, B) by pynetdicom."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from pydicom.uid import (
    UID,
    CTImageStorage,
    EnhancedCTImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
)
from pynetdicom import AE, evt

from nodule.ct import READABLE_SYNTAXES
from nodule.errors import InputError
from pipelines.serve._audit import Audit
from pipelines.serve._delivery import STORAGE_COMMITMENT
from pipelines.serve._inbox import Arrival, Inbox
from pipelines.serve._settings import ListenSettings

IMAGES = (CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage)
"""What is taken; other objects are refused when the association is negotiated."""

_VERIFICATION = "1.2.840.10008.1.1"
_STATUS = {
    Arrival.KEPT: 0x0000,
    Arrival.KNOWN: 0x0000,
    Arrival.CONTRADICTS: 0x0111,  # duplicate SOP instance
    Arrival.NO_ROOM: 0xA700,  # out of resources
}
_NO_DISK = 0xA700
_NOT_WHAT_IT_SAYS = 0xA900
_CANNOT_UNDERSTAND = 0xC000
_COMMITTED, _NOT_COMMITTED = 1, 2
_log = logging.getLogger(__name__)


class Receiver:
    """Takes images into an inbox until the block is left.

    Parameters
    ----------
    settings : who may send.
    inbox : where images go.
    audit : told of each association and image.
    committed : called with the transaction of a storage commitment and whether all is kept.

    Raises
    ------
    InputError : ``CANNOT_LISTEN``.
    """

    def __init__(
        self,
        settings: ListenSettings,
        *,
        inbox: Inbox,
        audit: Audit,
        committed: Callable[[str, bool], None],
    ) -> None:
        self._inbox = inbox
        self._audit = audit
        self._committed = committed
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
        try:
            self._server = _entity(settings).start_server(
                (settings.host, settings.port),
                block=False,
                evt_handlers=[
                    (evt.EVT_C_ECHO, lambda event: 0x0000),
                    (evt.EVT_C_STORE, self._store),
                    (evt.EVT_N_EVENT_REPORT, self._report),
                    (evt.EVT_REJECTED, self._refused),
                ],
            )
        except OSError as error:
            raise InputError(
                f"nothing can listen at {settings.host}:{settings.port}",
                code="CANNOT_LISTEN",
                got=error.strerror,
                hint="Choose another port in [listen].",
            ) from error

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.server_address[1]
        return port

    def close(self) -> None:
        """Take no more; associations that are under way are aborted."""
        assert self._server is not None
        self._server.shutdown()

    def _store(self, event: evt.Event) -> int:
        try:
            image = event.dataset
            instance_uid = str(image.SOPInstanceUID)
            study_uid = str(image.StudyInstanceUID)
        except (AttributeError, ValueError, NotImplementedError, EOFError):
            return self._answer(event, _CANNOT_UNDERSTAND)
        request: Any = event.request
        if instance_uid != request.AffectedSOPInstanceUID:
            return self._answer(event, _NOT_WHAT_IT_SAYS)
        try:
            content = event.encoded_dataset()
            arrival = self._inbox.put(study_uid, instance_uid, content)
        except OSError:
            _log.exception("an image cannot be written")
            return self._answer(event, _NO_DISK)
        return self._answer(event, _STATUS[arrival], study_uid=study_uid)

    def _answer(self, event: evt.Event, status: int, *, study_uid: str | None = None) -> int:
        self._audit.image(caller=_caller(event), study_uid=study_uid, status=status)
        return status

    def _refused(self, event: evt.Event) -> None:
        self._audit.association_refused(caller=_caller(event))

    def _report(self, event: evt.Event) -> tuple[int, None]:
        transaction = str(event.event_information.TransactionUID)
        self._committed(transaction, event.event_type == _COMMITTED)
        return 0x0000, None


def _entity(settings: ListenSettings) -> AE:
    entity = AE(ae_title=settings.ae_title)
    entity.require_called_aet = True
    entity.require_calling_aet = list(settings.callers)
    entity.maximum_associations = settings.max_associations
    entity.acse_timeout = entity.dimse_timeout = settings.stall_s
    entity.network_timeout = settings.stall_s
    entity.add_supported_context(_VERIFICATION)
    syntaxes = sorted(map(UID, READABLE_SYNTAXES))
    for each in IMAGES:
        entity.add_supported_context(each, syntaxes)
    entity.add_supported_context(STORAGE_COMMITMENT, scu_role=False, scp_role=True)
    return entity


def _caller(event: Any) -> str:
    requestor = event.assoc.requestor
    return f"{requestor.ae_title}@{requestor.address}"
