"""A run that is to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from dirigent.model.ids import RunId
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.ticket import Ticket
from dirigent.model.values import Value


@dataclass(frozen=True, slots=True)
class Start:
    """A run to be made. The same `id` with the same program and input is the same run.

    With a `ticket` it is made at once and begins when its queue admits it. Where a run with the ticket's
    `dedupe` is open already, that one's id is the answer, or with `unique` a refusal (E4052).
    """

    id: RunId
    program: Program
    input: Value = None
    metadata: Mapping[str, Value] = field(default_factory=dict)
    parent: RunId | None = None
    depth: int = 0
    ticket: Ticket | None = None
    unique: bool = False
