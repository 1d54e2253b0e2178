"""``nodule card``."""

import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from nodule.errors import WeightsError
from nodule.weights import SHIPPED
from pipelines.cli._card import card

app = typer.Typer()
app.command()(card)


def test_renders_a_card_beside_its_json(tmp_path: Path) -> None:
    shutil.copy(SHIPPED / "lungs.card.json", tmp_path)
    ran = CliRunner().invoke(app, [str(tmp_path / "lungs.card.json")], catch_exceptions=False)
    assert ran.stdout.splitlines() == [str(tmp_path / "lungs.md")]
    assert (tmp_path / "lungs.md").read_text() == (SHIPPED / "lungs.md").read_text()


def test_refuses_what_is_not_a_card(tmp_path: Path) -> None:
    (tmp_path / "x.card.json").write_text("{}")
    with pytest.raises(WeightsError, match="BAD_CARD"):
        CliRunner().invoke(app, [str(tmp_path / "x.card.json")], catch_exceptions=False)
    assert not (tmp_path / "x.md").exists()
