"""A run that is to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dirigent.model.ids import RunId
from dirigent.model.program import Program
from dirigent.model.values import Value


@dataclass(frozen=True, slots=True)
class Start:
    """A run to be made. The same `id` with the same program and input is the same run."""

    id: RunId
    program: Program
    input: Value = None
    metadata: Mapping[str, Value] = field(default_factory=dict)
    parent: RunId | None = None
    depth: int = 0
