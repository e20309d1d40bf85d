"""Lifecycle events of the standard (DSL 1.0, "Lifecycle Events"): what happened to a run, as CloudEvents.

Law: the same happenings at the same place of a journal give the same events, ids and all. No secret is in
them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from dirigent.core.events.happening import Happening, settled
from dirigent.core.events.shape import JSON_TYPE, moment, size
from dirigent.model import limits
from dirigent.model.events.attributes import VERSION
from dirigent.model.events.listening import Event, Tell
from dirigent.model.ids import RunId
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.values import SecretText, Unknown, Value

PREFIX: Final = "io.serverlessworkflow."
# By what happened: the name in the type of the event, and the member that says when.
_RUN: Final = {
    "started": ("started", "startedAt"),
    "suspended": ("suspended", "suspendedAt"),
    "resumed": ("resumed", "resumedAt"),
    "correlation-started": ("correlation-started", "startedAt"),
    "correlation-completed": ("correlation-completed", "completedAt"),
    "cancelled": ("cancelled", "cancelledAt"),
    "faulted": ("faulted", "faultedAt"),
    "completed": ("completed", "completedAt"),
}
_TASK: Final = {
    "entered": ("created", "createdAt"),
    "started": ("started", "startedAt"),
    "suspended": ("suspended", "suspendedAt"),
    "resumed": ("resumed", "resumedAt"),
    "retried": ("retried", "retriedAt"),
    "stopped": ("cancelled", "cancelledAt"),
    "cancelled": ("cancelled", "cancelledAt"),
    "failed": ("faulted", "faultedAt"),
    "left": ("completed", "completedAt"),
    "skipped": ("completed", "completedAt"),
}
# The status phase that something is in after it.
_PHASES: Final = {
    "queued": "pending",
    "entered": "pending",
    "started": "running",
    "waiting": "waiting",
    "suspended": "suspended",
    "resumed": "running",
    "retried": "running",
    "stopped": "cancelled",
    "cancelled": "cancelled",
    "failed": "faulted",
    "faulted": "faulted",
    "left": "completed",
    "skipped": "completed",
    "completed": "completed",
}
STATUS_OF_RUN: Final = f"{PREFIX}workflow.status-changed.v1"
STATUS_OF_TASK: Final = f"{PREFIX}task.status-changed.v1"
TYPES: Final = (
    *(f"{PREFIX}workflow.{name}.v1" for name, _ in _RUN.values()),
    *dict.fromkeys(f"{PREFIX}task.{name}.v1" for name, _ in _TASK.values()),
    STATUS_OF_RUN,
    STATUS_OF_TASK,
)
"""Every type there is: sixteen that are required, then the two that are not."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells of one run. `place` is where its journal goes on, of which the ids of the events are made."""

    program: Program
    run: RunId
    place: int

    def events(
        self, told: Sequence[Happening], wanted: Collection[str], phases: tuple[str, str]
    ) -> list[Tell]:
        """Return the events of the wanted types, each with how many facts of the append come before it.

        `phases` are those of the run before and afterwards.
        """
        found: list[Tell] = []
        phase, after = phases
        for each in settled(list(told)):
            events = self._task(each, wanted) if each.pointer else self._run(each, wanted)
            if not each.pointer and each.what in _PHASES:
                if phase != _PHASES[each.what]:
                    events += self._changed(each, _PHASES[each.what], wanted)
                phase = _PHASES[each.what]
            found += [(each.facts - self.place, event) for event in events]
        if told and after in {"waiting", "running"} and after != phase:
            found += [
                (told[-1].facts - self.place, event) for event in self._changed(told[-1], after, wanted)
            ]
        named = enumerate(found)
        return [(count, {**event, "id": f"{self.run}-{self.place}-{n}"}) for n, (count, event) in named]

    @property
    def name(self) -> str:
        """Return the qualified name of the run."""
        return f"{self.program.name}-{self.run}.{self.program.namespace}"

    def _run(self, each: Happening, wanted: Collection[str]) -> list[Event]:
        name, when = _RUN.get(each.what, ("", ""))
        kind = f"{PREFIX}workflow.{name}.v1"
        if kind not in wanted:
            return []
        data: dict[str, Value] = {"name": self.name, when: moment(each.at)}
        if name == "started":
            document = {"name": self.program.name, "namespace": self.program.namespace}
            data["definition"] = {**document, "version": self.program.version}
        if name == "correlation-completed" and each.keys:
            data["correlationKeys"] = public(each.keys)
        return [self._event(kind, each, _ended(data, each))]

    def _task(self, each: Happening, wanted: Collection[str]) -> list[Event]:
        name, when = _TASK.get(each.what, ("", ""))
        kind = f"{PREFIX}task.{name}.v1"
        found = []
        if kind in wanted:
            data = _ended({**self._of_task(each), when: moment(each.at)}, each)
            found.append(self._event(kind, each, data))
        if STATUS_OF_TASK in wanted and each.what in _PHASES:
            changed = {"updatedAt": moment(each.at), "status": _PHASES[each.what]}
            found.append(self._event(STATUS_OF_TASK, each, {**self._of_task(each), **changed}))
        return found

    def _of_task(self, each: Happening) -> dict[str, Value]:
        return {"workflow": self.name, "task": each.pointer}

    def _changed(self, each: Happening, phase: str, wanted: Collection[str]) -> list[Event]:
        if STATUS_OF_RUN not in wanted:
            return []
        data: dict[str, Value] = {"name": self.name, "updatedAt": moment(each.at), "status": phase}
        return [self._event(STATUS_OF_RUN, Happening(each.what, each.at, each.facts), data)]

    def _event(self, kind: str, each: Happening, data: dict[str, Value]) -> Event:
        event: Event = {
            "specversion": VERSION,
            "source": f"/dirigent/{self.program.namespace}/{self.program.name}",
            "type": kind,
            "subject": f"{self.run}{each.position}" if each.pointer else self.run,
            "time": moment(each.at),
            "datacontenttype": JSON_TYPE,
            "data": data,
        }
        if each.pointer:
            event["attempt"] = each.attempt
        if size(event) > limits.EVENT_BYTES and "output" in data:
            # The journal has it; an event is for news.
            event = {**event, "data": {name: value for name, value in data.items() if name != "output"}}
            event["outputomitted"] = True
        return event


def _ended(data: dict[str, Value], each: Happening) -> dict[str, Value]:
    """Return the data with what something ended with."""
    if each.fault is not None:
        data["error"] = public(each.fault.as_value())
    elif each.output is not None:
        data["output"] = public(each.output)
    return data


def public(value: Value) -> Value:
    """Return a value with the names of secrets in their places, for everybody to see."""
    match value:
        case SecretText():
            return str(value)
        case Unknown():
            return None
        case list():
            return [public(each) for each in value]
        case dict():
            return {name: public(each) for name, each in value.items()}
        case _:
            return value
