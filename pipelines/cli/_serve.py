"""``nodule serve``: a DICOM node."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli._options import ConfigOption
from pipelines.cli._progress import stderr_console
from pipelines.cli._summary import summarise
from pipelines.interrupt import Interrupted


def serve(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            help="The node's folder: what has come, results, and what is still to be done. A node "
            "that is started again with it goes on.",
        ),
    ],
    settings: Annotated[
        Path | None,
        typer.Option(
            "--settings",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="TOML file of the node; nodule config show serve prints one with all defaults.",
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Take studies as a DICOM node, process each when it is complete, and send the results on.

    By default it listens on this machine alone. SIGTERM ends it; nothing that it has taken is lost,
    by a kill neither. The last line on stdout is a JSON summary.
    """
    try:
        from pipelines.serve import Node, ServeSettings, read_serve_settings
    except ImportError as error:
        from nodule.errors import UsageError

        raise UsageError(
            "a DICOM node needs pynetdicom, dicomweb-client and prometheus-client",
            code="NO_PACS_PACKAGES",
            hint="Install nodule[pacs].",
        ) from error

    told = read_serve_settings(settings) if settings is not None else ServeSettings()
    node = Node(folder, told, config=config)
    stderr_console().print(
        f"{told.listen.ae_title} takes images at {told.listen.host}:{node.port}, and answers at "
        f"http://{told.monitor.host}:{node.monitor_port}/health",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    try:
        node.run(threading.Event())
    except Interrupted as stop:
        summarise({"interrupted": stop.name, **node.figures()})
        raise typer.Exit(stop.exit_status) from None
    finally:
        node.close()
