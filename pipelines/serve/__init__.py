"""A DICOM node that processes what it is sent."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from pipelines.serve._node import Node
    from pipelines.serve._settings import ServeSettings, read_serve_settings

__all__ = [
    "Node",
    "ServeSettings",
    "read_serve_settings",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_node": ["Node"],
        "_settings": ["ServeSettings", "read_serve_settings"],
    },
)
