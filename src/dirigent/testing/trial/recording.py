"""A test file made from a run that has ended: what the world answered then is what it answers in the test."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from typing import Final

from dirigent.model.events.listening import Event
from dirigent.model.fault import Fault
from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal, refuse
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.journal import (
    Abandoned,
    CancelRequested,
    Created,
    Emitted,
    Ended,
    Fact,
    Failed,
    Heard,
    Intended,
    Overruled,
    Resumed,
    Retried,
    Signalled,
    Skipped,
    Succeeded,
    Suspended,
    Vouched,
)
from dirigent.model.run.payload import references
from dirigent.model.values import Value
from dirigent.testing.trial.comparing import shown
from dirigent.testing.trial.world import pointer_of

# What of an event is the same whenever it is emitted.
_LASTING: Final = ("type", "source", "subject", "data")
# A call that was stopped must still be under way when it is stopped again.
_NEVER_SECONDS: Final = 86_400.0
_INVENTED: Final = "invented"
_ENDS: Final = (Succeeded, Failed, Vouched, Skipped, Abandoned)


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """How a test file names the workflow of a run: `workflow` is a path or the document itself.

    `files` are the texts that lie elsewhere, by URI; `remarks` are said at the top of the file.
    """

    workflow: Value
    files: dict[str, Value] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def check_recordable(run: RunId, program: Program, facts: Sequence[Fact]) -> None:
    """Raise `Refusal` (E7077) for a run that cannot become a test."""
    if not facts or not isinstance(facts[0], Created) or not isinstance(facts[-1], Ended):
        raise _cannot(run, "it has not ended", "wait for its end, or stop it with `dirigent cancel`")
    if program.kind != "workflow":
        raise _cannot(run, "it is no run of a workflow", "record the run of a workflow")
    for fact in facts:
        if isinstance(fact, Retried | Overruled):
            raise _cannot(run, "a person did its work in part", "record one that nobody retried")
        if any(True for value in _values(fact) for _ in references(value)):
            raise _cannot(run, "its values lie in files of their own", "make smaller ones up by hand")


def recorded(
    run: RunId,
    program: Program,
    facts: Sequence[Fact],
    where: Whereabouts,
    expected: Mapping[str, Value] | None = None,
) -> str:
    """Return the text of a test file that plays a run again; `expected` stands for what the run came to."""
    first, last = facts[0], facts[-1]
    if not isinstance(first, Created) or not isinstance(last, Ended):
        raise _cannot(run, "it has not ended", "wait for its end, or stop it with `dirigent cancel`")
    lines = [
        f"# Made by `dirigent test --record {run}`.",
        *(f"# {remark}" for remark in where.remarks),
        f"workflow: {_json(where.workflow)}",
        "tests:",
        f"  - name: {_json(f'as in run {run}')}",
        f"    run: {_json(run)}",
        f"    start: {_json(datetime.fromtimestamp(first.at, UTC).isoformat())}",
        f"    input: {_json(first.input)}",
    ]
    if program.secrets:
        lines.append(f"    secrets: {_json(dict.fromkeys(program.secrets, _INVENTED))}")
    if first.metadata:
        lines.append(f"    metadata: {_json(first.metadata)}")
    if where.files:
        lines += ["    files:", *(f"      {_json(uri)}: {_json(text)}" for uri, text in where.files.items())]
    lines += _section("answers", _answers(facts))
    lines += _section("happens", _happenings(first, facts))
    lines.append("    expect:")
    wanted = came_to(facts) if expected is None else expected
    lines += [f"      {name}: {_json(value)}" for name, value in wanted.items()]
    return "\n".join(lines) + "\n"


def came_to(facts: Sequence[Fact]) -> dict[str, Value]:
    """Return what a test of a run that has ended expects."""
    last = facts[-1]
    found = _expected(last) if isinstance(last, Ended) else {}
    told: list[Value] = [
        {name: value for name, value in fact.event.items() if name in _LASTING}
        for fact in facts
        if isinstance(fact, Emitted)
    ]
    return {**found, "events": told} if told else found


def _cannot(run: RunId, why: str, remedy: str) -> Refusal:
    return refuse("E7077", f"run `{run}` cannot become a test: {why}", remedy)


def _answers(facts: Sequence[Fact]) -> Iterator[Mapping[str, Value]]:
    """Yield an answer for each task that called, its replies in the order of the calls."""
    ends = {(fact.position, fact.attempt): fact for fact in facts if isinstance(fact, _ENDS)}
    replies: dict[str, list[Value]] = {}
    for fact in facts:
        if isinstance(fact, Intended):
            end = ends.get((fact.position, fact.attempt))
            replies.setdefault(pointer_of(fact.position), []).append(_reply(fact, end))
    last = facts[-1]
    cut = isinstance(last, Ended) and last.phase == "cancelled"
    for pointer, each in replies.items():
        if cut:
            # A run that was stopped may be a little further when it is stopped again.
            yield {"task": pointer, "replies": [*each, {"output": None, "after": _NEVER_SECONDS}]}
            continue
        single = each[0] if len(each) == 1 and isinstance(each[0], dict) else {"replies": each}
        yield {"task": pointer, **single, "times": len(each)}


def _reply(begun: Intended, end: Fact | None) -> dict[str, Value]:
    seconds = 0.0 if end is None else round(end.at - begun.at, 6)
    after: dict[str, Value] = {"after": seconds} if seconds > 0 else {}
    match end:
        case Succeeded(output=output) | Vouched(output=output):
            return {"output": output, **after}
        case Failed(fault=fault):
            return {"error": _error(fault), **after}
        case Skipped():
            return {"compute": ".", **after}
        case _:
            return {"output": None, "after": _NEVER_SECONDS}


def _error(fault: Fault) -> dict[str, Value]:
    members = fault.as_value()
    members.pop("instance", None)
    return members


def _happenings(first: Created, facts: Sequence[Fact]) -> Iterator[Mapping[str, Value]]:
    """Yield what came from outside: neither what the run itself emitted and heard, nor its admission."""
    known = {_identity(fact.event) for fact in facts if isinstance(fact, Emitted)}
    for fact in facts:
        at: dict[str, Value] = {"at": max(0.0, round(fact.at - first.at, 6))}
        match fact:
            case CancelRequested(reason=reason):
                yield {**at, "cancel": reason}
            case Suspended(reason=reason):
                yield {**at, "suspend": reason}
            case Resumed(queue="") if not _admits(first, fact, facts):
                yield {**at, "resume": True}
            case Heard(event=event, arrived=arrived) if _identity(event) not in known:
                known.add(_identity(event))
                yield {"at": max(0.0, round(arrived - first.at, 6)), "event": dict(event)}
            case Signalled(event=event, data=data):
                yield {**at, "signal": event, "data": data}
            case _:
                pass


def _identity(event: Event) -> tuple[str, str]:
    return str(event.get("source")), str(event.get("id"))


def _admits(first: Created, fact: Resumed, facts: Sequence[Fact]) -> bool:
    """Return whether this began a run that waited in a queue; old journals do not say which queue it was."""
    return first.ticket is not None and next(each for each in facts if isinstance(each, Resumed)) is fact


def _expected(end: Ended) -> dict[str, Value]:
    if end.fault is not None:
        wanted = {name: value for name, value in end.fault.as_value().items() if name != "detail"}
        return {"phase": end.phase, "error": wanted}
    return {"phase": end.phase, "output": end.output} if end.phase == "completed" else {"phase": end.phase}


def _section(name: str, entries: Iterator[Mapping[str, Value]]) -> list[str]:
    lines = [f"      - {_json(dict(entry))}" for entry in entries]
    return [f"    {name}:", *lines] if lines else []


def _values(fact: Fact) -> Iterator[Value]:
    match fact:
        case Created(input=value) | Succeeded(output=value) | Vouched(output=value) | Ended(output=value):
            yield value
        case _:
            pass


def _json(value: Value) -> str:
    """Return a value as JSON, which every YAML reader takes for what it is."""
    return json.dumps(shown(value), ensure_ascii=False)
