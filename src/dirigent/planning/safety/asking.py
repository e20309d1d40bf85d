"""Checks as tasks of the program that applies a plan: questions, put down in the journal with the answers.

What a condition has seen and what is said are computed only where it does not hold.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from dirigent.model.plan import Change, Checked, Plan
from dirigent.model.program import Call, Catch, Task, Try
from dirigent.model.program import Sequence as Block
from dirigent.model.source import Span
from dirigent.model.values import Expression, Template

CHECK: Final = "check"
_ERROR: Final = '($error.detail // "") as $told | if $told == "" then $error.title else $told end'


def check_task(change: Change, asked: Sequence[Checked], name: str, pointer: str, scope: str) -> Task:
    """Return the task that asks some checks of an instance; it fails when one does not hold that stops."""
    before = all(each.check.before for each in asked)
    return Task(
        name=name,
        pointer=pointer,
        node=Call(
            function="resource",
            request={
                "action": CHECK,
                "address": change.address,
                "name": change.name,
                "type": change.type,
                "when": "before" if before else "after",
                "checks": [_question(each) for each in asked],
            },
        ),
        span=asked[0].check.that.span,
        constants={} if change.each is None else {"each": change.each},
        scope=scope,
        of="" if before else str(change.address),
    )


def stack_checks(plan: Plan) -> tuple[Task, ...]:
    """Return the tasks that ask the checks of the stack. They never fail."""
    return tuple(_stack_check(each, number) for number, each in enumerate(plan.checks))


def _stack_check(asked: Checked, number: int) -> Task:
    pointer = f"/checks/{number}"
    return Task(
        name=stack_check_name(asked),
        pointer=pointer,
        node=Try(
            Block((_asking(f"{pointer}/try", asked, _question(asked)),)),
            Catch(body=Block((_asking(f"{pointer}/catch", asked, _broken(asked)),))),
        ),
        span=asked.check.that.span,
        constants={} if asked.each is None else {"each": asked.each},
        scope=asked.scope,
    )


def stack_check_name(asked: Checked) -> str:
    """Return the name of the task that asks a check of the stack; no address is like it."""
    return f"check the stack: {asked.name}"


def _asking(pointer: str, asked: Checked, question: dict[str, Template]) -> Task:
    request: dict[str, Template] = {"action": CHECK, "address": "", "name": "", "type": ""}
    request |= {"when": "end", "checks": [question]}
    return Task(
        name=f"checks.{asked.name}",
        pointer=pointer,
        node=Call("resource", request),
        span=asked.check.that.span,
    )


def _question(asked: Checked) -> dict[str, Template]:
    that = asked.check.that
    return {
        **_named(asked),
        "that": that,
        "message": _unless(that, asked.check.message),
        "seen": Expression(_otherwise(that, _looks(asked.sees)), that.span) if asked.sees else None,
    }


def _broken(asked: Checked) -> dict[str, Template]:
    """Return what is put down when a condition has no value."""
    return {**_named(asked), "that": False, "message": Expression(_ERROR), "seen": None}


def _named(asked: Checked) -> dict[str, Template]:
    return {
        "name": asked.name,
        "condition": asked.check.that.text,
        "warns": asked.check.warns,
        "at": _place(asked.check.that.span),
    }


def _unless(that: Expression, message: Template) -> Template:
    """Return a message that is computed only where a condition does not hold: else it may have no value."""
    if not isinstance(message, Expression):
        return message
    return Expression(_otherwise(that, message.text), message.span)


def _otherwise(that: Expression, text: str) -> str:
    # On lines of their own: what is written may end with a comment.
    return f"if (\n{that.text}\n) then null else (\n{text}\n) end"


def _looks(sees: Sequence[str]) -> str:
    members = (f"{json.dumps(path)}: (try {path} catch null)" for path in sees)
    return "{" + ", ".join(members) + "}"


def _place(span: Span | None) -> Template:
    return None if span is None else [span.file, span.line, span.column, span.end_line, span.end_column]
