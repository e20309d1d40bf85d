"""A run that is to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace

from dirigent.model.ids import Digest, RunId
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Created
from dirigent.model.run.origin import Origin
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
    origin: Origin | None = None


def start_of(run: RunId, program: Program, first: Created, *, unique: bool = False) -> Start:
    """Return the start whose first fact this would be."""
    return Start(
        run,
        program,
        first.input,
        first.metadata,
        first.parent,
        first.depth,
        first.ticket,
        unique,
        first.origin,
    )


def first_of(start: Start, definition: Digest, at: float = 0.0) -> Created:
    """Return the first fact of a run that is begun at `at`: whoever waits in a queue waits from then on."""
    ticket = replace(start.ticket, since=at) if start.ticket and at else start.ticket
    metadata = dict(start.metadata)
    return Created(at, definition, start.input, metadata, start.parent, start.depth, ticket, start.origin)
