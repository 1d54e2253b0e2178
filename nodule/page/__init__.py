"""How a report looks: one page that opens offline, its pictures, and the page as PDF."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nodule.page.html import render_html
    from nodule.page.pdf import write_pdf
    from nodule.page.saliency_overlay import saliency_sheet

__all__ = [
    "render_html",
    "saliency_sheet",
    "write_pdf",
]

_HOMES = {
    "render_html": "html",
    "saliency_sheet": "saliency_overlay",
    "write_pdf": "pdf",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
