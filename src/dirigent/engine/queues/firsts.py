"""Which open run stands for a deduplication key, and which tickets no queue takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from dirigent.model import limits
from dirigent.model.ids import RunId
from dirigent.model.problem import refuse
from dirigent.model.queue import Queue
from dirigent.model.record import dataclass
from dirigent.model.run.start import Start
from dirigent.model.run.ticket import Ticket


@dataclass(slots=True, eq=False)
class Firsts:
    """The open runs with a deduplication key, by queue and key."""

    _first: dict[tuple[str, str], RunId] = field(default_factory=dict)
    _keys: dict[RunId, tuple[str, str]] = field(default_factory=dict)

    def of(self, start: Start, ticket: Ticket) -> RunId | None:
        """Return the open run that stands for a start; None if it is the first, which it is from now on.

        Raises `Refusal` (E4052) when there is one and the start is to be the only one.
        """
        if not ticket.dedupe:
            return None
        self.note(start.id, ticket)
        first = self._first[ticket.queue, ticket.dedupe]
        if first == start.id:
            return None
        del self._keys[start.id]
        if start.unique:
            raise refuse(
                "E4052",
                f"run `{first}` is open in queue `{ticket.queue}` with the key `{ticket.dedupe}` already",
                f"wait for it with `dirigent resume {first}`, or give another key",
            )
        return first

    def note(self, run: RunId, ticket: Ticket) -> None:
        """Let an open run stand for its key."""
        if ticket.dedupe:
            self._keys[run] = (ticket.queue, ticket.dedupe)
            self._first.setdefault((ticket.queue, ticket.dedupe), run)

    def forget(self, run: RunId) -> None:
        """Let the next one come: the run is over."""
        key = self._keys.pop(run, None)
        if key is not None and self._first.get(key) == run:
            del self._first[key]


def check(ticket: Ticket, declared: Mapping[str, Queue]) -> None:
    """Raise `Refusal` for a queue that is not declared (E4050) or a place that no queue has (E4051)."""
    if declared and ticket.queue not in declared:
        names = ", ".join(f"`{name}`" for name in declared)
        raise refuse("E4050", f"there is no queue `{ticket.queue}`", f"the stack declares {names}")
    longest = max(len(ticket.key), len(ticket.dedupe), len(ticket.queue))
    if abs(ticket.priority) > limits.QUEUE_PRIORITY or longest > limits.QUEUE_KEY_CHARACTERS:
        raise refuse(
            "E4051",
            f"no place in queue `{ticket.queue[:60]}` has priority `{ticket.priority}` or a key so long",
            f"a priority lies between -{limits.QUEUE_PRIORITY} and {limits.QUEUE_PRIORITY}; names and"
            f" keys have at most {limits.QUEUE_KEY_CHARACTERS} characters",
        )
