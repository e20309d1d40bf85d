"""A test file made from a run that has ended: what the world answered then is what it answers in the test."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Final

from dirigent.lang.source import load
from dirigent.lang.tree import Members
from dirigent.model.fault import Fault
from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal, refuse
from dirigent.model.program import Code, Program
from dirigent.model.run.journal import (
    Abandoned,
    CancelRequested,
    Created,
    Ended,
    Fact,
    Failed,
    Intended,
    Resumed,
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

# A call that was stopped must still be under way when it is stopped again.
_NEVER_SECONDS: Final = 86_400.0
_INVENTED: Final = "invented"
_ENDS: Final = (Succeeded, Failed, Vouched, Skipped, Abandoned)


def recorded(run: RunId, program: Program, facts: Sequence[Fact]) -> str:
    """Return the text of a test file that plays a run again. Raises `Refusal` (E7077)."""
    first, last = facts[0], facts[-1]
    if not isinstance(first, Created) or not isinstance(last, Ended):
        raise _cannot(run, "it has not ended", "wait for its end, or stop it with `dirigent cancel`")
    if program.kind != "workflow" or isinstance(program.root.node, Code):
        raise _cannot(run, "it is no run of a workflow document", "record a run of a document")
    lines = [
        f"# Made by `dirigent test --record {run}`.",
        f"workflow: {_workflow(program)}",
        "tests:",
        f"  - name: {_json(f'as in run {run}')}",
        f"    start: {_json(datetime.fromtimestamp(first.at, UTC).isoformat())}",
        f"    input: {_json(first.input)}",
    ]
    if program.secrets:
        lines.append(f"    secrets: {_json(dict.fromkeys(program.secrets, _INVENTED))}")
    lines += _section("answers", _answers(facts))
    lines += _section("happens", _happenings(first, facts))
    lines.append("    expect:")
    lines += [f"      {name}: {_json(value)}" for name, value in _expected(last).items()]
    text = "\n".join(lines) + "\n"
    if any(True for fact in facts for value in _values(fact) for _ in references(value)):
        raise _cannot(run, "it holds values that lie in files of their own", "make smaller ones up by hand")
    return text


def _cannot(run: RunId, why: str, remedy: str) -> Refusal:
    return refuse("E7077", f"run `{run}` cannot become a test: {why}", remedy)


def _workflow(program: Program) -> str:
    """Return the file of a workflow where it has one of its own, else the document itself."""
    if len(program.sources) == 1:
        ((file, text),) = program.sources.items()
        node, _ = load(text, file)
        if isinstance(node, Members) and "document" in node.members and "stack" not in node.members:
            return _json(str(PurePath(file)))
    return _json(program.definition)


def _answers(facts: Sequence[Fact]) -> Iterator[Mapping[str, Value]]:
    """Yield an answer for each task that called, its replies in the order of the calls."""
    ends = {(fact.position, fact.attempt): fact for fact in facts if isinstance(fact, _ENDS)}
    replies: dict[str, list[Value]] = {}
    for fact in facts:
        if isinstance(fact, Intended):
            end = ends.get((fact.position, fact.attempt))
            if end is not None:
                replies.setdefault(pointer_of(fact.position), []).append(_reply(fact, end))
    for pointer, each in replies.items():
        single = each[0] if len(each) == 1 and isinstance(each[0], dict) else {"replies": each}
        yield {"task": pointer, **single}


def _reply(begun: Intended, end: Fact) -> dict[str, Value]:
    after: dict[str, Value] = {"after": round(end.at - begun.at, 6)} if end.at > begun.at else {}
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
    for fact in facts:
        at: dict[str, Value] = {"at": round(fact.at - first.at, 6)}
        match fact:
            case CancelRequested(reason=reason):
                yield {**at, "cancel": reason}
            case Suspended(reason=reason):
                yield {**at, "suspend": reason}
            case Resumed() if first.ticket is None:
                yield {**at, "resume": True}
            case Signalled(event=event, data=data):
                yield {**at, "signal": event, "data": data}
            case _:
                pass


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
