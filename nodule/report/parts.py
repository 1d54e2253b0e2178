"""What all parts of a report are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Point = tuple[float, float, float]
Ends = tuple[Point, Point]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Size = Annotated[float, Field(gt=0.0)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Part(BaseModel):
    """A part of ``report.json``: frozen, and strict about its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)
