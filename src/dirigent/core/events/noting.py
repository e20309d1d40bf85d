"""What facts and nodes say of the life of a run, beside the marks of its tasks."""

from __future__ import annotations

from dirigent.core.events.happening import Happening, of_task
from dirigent.core.frame import Frame
from dirigent.core.machine import Run
from dirigent.core.status import Phase, Status
from dirigent.model.run.command import Hears
from dirigent.model.run.journal import Created, Ended, Fact, Repeated, Resumed, Retried, Suspended
from dirigent.model.values import Value

_ENDS = {"completed": "completed", "faulted": "faulted", "cancelled": "cancelled"}


def note(run: Run, what: str, frame: Frame) -> None:
    """Note what happened to a task, if somebody wants to know."""
    if run.told is not None:
        found = of_task(what, run.now, run.facts, frame)
        if found is not None:
            run.told.append(found)


def correlated(run: Run, what: str, frame: Frame, keys: dict[str, Value]) -> None:
    """Note that a task began to correlate events, or is done with it."""
    if run.told is not None:
        run.told.append(Happening(what, run.now, run.facts, position=frame.position, keys=keys))


def note_fact(run: Run, fact: Fact, before: Phase) -> None:
    """Note what a fact says of the run, after it was folded and before what follows from it."""
    told = run.told
    if told is None:
        return
    match fact:
        case Created():
            told.append(Happening("queued" if run.phase is Phase.QUEUED else "started", fact.at, run.facts))
        case Resumed() if before is Phase.QUEUED:
            told.append(Happening("started", fact.at, run.facts))
        case Suspended() | Resumed():
            what = "suspended" if isinstance(fact, Suspended) else "resumed"
            told.append(Happening(what, fact.at, run.facts))
            for frame in _open(run):
                note(run, what, frame)
        case Retried():
            told.append(Happening("resumed", fact.at, run.facts))
            _retried(run, fact)
        case Repeated():
            _retried(run, fact)
        case Ended(phase=phase):
            told.append(Happening(_ENDS[phase], fact.at, run.facts, output=fact.output, fault=fact.fault))
        case _:
            pass


def phase_of(run: Run) -> str:
    """Return the status phase of a run, as the standard names them."""
    match run.phase:
        case Phase.PENDING | Phase.QUEUED:
            return "pending"
        case Phase.SUSPENDED:
            return "suspended"
        case Phase.ENDED:
            return "ended"
        case Phase.RUNNING | Phase.CANCELLING:
            waits = bool(run.asks) and all(
                ask.status is Status.UNDER_WAY and (ask.key[2] == "wait" or isinstance(ask.note, Hears))
                for ask in run.asks.values()
            )
            return "waiting" if waits and run.result is None else "running"


def _retried(run: Run, fact: Retried | Repeated) -> None:
    for frame in _open(run):
        if frame.position == fact.position:
            note(run, "retried", frame)


def _open(run: Run) -> list[Frame]:
    """Return the frames of all tasks that are under way, from the outermost on."""
    todo = [run.root] if run.root is not None else []
    for frame in todo:
        todo.extend(frame.children.values())
    return todo
