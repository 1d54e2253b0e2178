"""How a node is, over HTTP: ``/health`` for a supervisor, ``/metrics`` for Prometheus."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from nodule.errors import InputError
from pipelines.serve._settings import MonitorSettings

Figures = Mapping[str, float]


class Monitor:
    """Answers until it is closed.

    Parameters
    ----------
    settings : where it listens.
    figures : returns what is to be told, by name; called in another thread.
    is_well : returns whether the node does its work; likewise.

    Raises
    ------
    InputError : ``CANNOT_LISTEN``.
    """

    def __init__(
        self,
        settings: MonitorSettings,
        *,
        figures: Callable[[], Figures],
        is_well: Callable[[], bool],
    ) -> None:
        registry = CollectorRegistry()
        registry.register(_Gauges(figures))
        metrics = make_wsgi_app(registry)

        def answer(environment: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            if environment["PATH_INFO"] == "/metrics":
                pages: Iterable[bytes] = metrics(environment, start)
                return pages
            if environment["PATH_INFO"] != "/health":
                start("404 Not Found", [("Content-Type", "text/plain")])
                return [b"/health or /metrics\n"]
            well = is_well()
            status = "200 OK" if well else "503 Service Unavailable"
            start(status, [("Content-Type", "application/json")])
            return [json.dumps({"well": well, **figures()}).encode()]

        try:
            self._server: WSGIServer = make_server(
                settings.host, settings.port, answer, handler_class=_Silent
            )
        except OSError as error:
            raise InputError(
                f"nothing can listen at {settings.host}:{settings.port}",
                code="CANNOT_LISTEN",
                got=error.strerror,
                hint="Choose another port in [monitor].",
            ) from error
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_port)

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


class _Gauges(Collector):
    def __init__(self, figures: Callable[[], Figures]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for name, value in self._figures().items():
            yield GaugeMetricFamily(f"nodule_{name}", name.replace("_", " "), value=value)


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of each request."""
