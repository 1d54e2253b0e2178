"""The words in which stages and commands say how networks are to be run."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Device = Literal["auto", "cpu", "cuda"]
Engine = Literal["auto", "torch", "openvino"]
Precision = Literal["auto", "fp32", "bf16"]
SPEED_ONLY: Mapping[str, object] = MappingProxyType({"speed_only": True})
"""Metadata of a stage's field that changes speed, never the answer: it stays out of the key."""
