"""OHIF, as its makers built it, over an archive's DICOMweb: one origin for both."""

import contextlib
import http.server
import mimetypes
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

CONFIG = """window.config = {
  routerBasename: '/', extensions: [], modes: [], showStudyList: true, maxNumberOfWebWorkers: 1,
  showWarningMessageForCrossOrigin: false, investigationalUseDialog: { option: 'never' },
  defaultDataSourceName: 'dicomweb',
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb', sourceName: 'dicomweb',
    configuration: {
      friendlyName: 'archive', name: 'archive', wadoUriRoot: '/dicom-web',
      qidoRoot: '/dicom-web', wadoRoot: '/dicom-web', imageRendering: 'wadors',
      thumbnailRendering: 'wadors', enableStudyLazyLoad: true, supportsWildcard: true,
      bulkDataURI: { enabled: true, relativeResolution: 'studies' },
    },
  }],
};"""
ISOLATED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


class Front(http.server.BaseHTTPRequestHandler):
    """Serves the viewer's files, and passes what is below ``/dicom-web`` on to the archive."""

    protocol_version = "HTTP/1.1"
    viewer: Path
    archive_port: int

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.startswith("/dicom-web"):
            self.forward(None)
            return
        file = self.viewer / self.path.split("?")[0].lstrip("/")
        if not file.is_file():
            file = self.viewer / "index.html"
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        if file.suffix == ".wasm":
            kind = "application/wasm"
        body = CONFIG.encode() if file.name == "app-config.js" else file.read_bytes()
        self.answer(200, kind, body)

    def do_POST(self) -> None:
        self.forward(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def forward(self, body: bytes | None) -> None:
        url = f"http://127.0.0.1:{self.archive_port}{self.path}"
        kept = {k: v for k, v in self.headers.items() if k.lower() in ("accept", "content-type")}
        request = urllib.request.Request(url, data=body, headers=kept)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                self.answer(reply.status, reply.headers["Content-Type"], reply.read())
        except urllib.error.HTTPError as error:
            self.answer(error.code, error.headers.get("Content-Type", ""), error.read())

    def answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **ISOLATED}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(body)


@contextlib.contextmanager
def served(viewer: Path, *, archive_port: int) -> Iterator[str]:
    """Serve the viewer and pass DICOMweb on; yield the address."""
    front = type("BoundFront", (Front,), {"viewer": viewer, "archive_port": archive_port})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), front)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
