"""How a report looks: one page that opens offline, its pictures, and the page as PDF."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from nodule.page.html import render_html
    from nodule.page.pdf import write_pdf
    from nodule.page.saliency_overlay import saliency_sheet

__all__ = [
    "render_html",
    "saliency_sheet",
    "write_pdf",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "html": ["render_html"],
        "pdf": ["write_pdf"],
        "saliency_overlay": ["saliency_sheet"],
    },
)
