"""Cells of a notebook's table are text, whatever is in them."""

from nodule.notebook_table import html_table


def test_every_cell_is_escaped_and_none_is_a_dash() -> None:
    assert html_table([("<b>", None, 1.5)], caption="a & b", headings=("x", "<y>", "z")) == (
        "<table><caption>a &amp; b</caption>"
        "<thead><tr><th>x</th><th>&lt;y&gt;</th><th>z</th></tr></thead>"
        "<tbody><tr><th>&lt;b&gt;</th><td>–</td><td>1.5</td></tr></tbody></table>"
    )


def test_without_headings_there_is_no_head() -> None:
    assert html_table([], caption="c") == "<table><caption>c</caption><tbody></tbody></table>"
