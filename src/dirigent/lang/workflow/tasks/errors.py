"""Errors on purpose and errors caught: `raise`, `try`, `catch`, retry policies.

A raised type comes out as it is written; a filter holds the canonical form of a standard type, and
the core compares with `model.fault.canonical` of what it caught.
"""

from __future__ import annotations

from dirigent.lang.tree import Leaf, Members, Node, plain
from dirigent.lang.workflow.dataflow import duration
from dirigent.lang.workflow.directives import directive
from dirigent.lang.workflow.expressions import check_variable, condition, template
from dirigent.lang.workflow.reading import (
    Reading,
    Scope,
    complain,
    entries_of,
    member_of,
    named,
    of_patch,
    text_of,
    whole_of,
)
from dirigent.lang.workflow.tasks.task import sequence
from dirigent.lang.workflow.words import NEWEST_PATCH
from dirigent.model.fault import canonical
from dirigent.model.program import Backoff, Catch, Raise, Retry, Try
from dirigent.model.values import Template, Value

_MEMBERS = ("type", "status", "title", "detail")


def lower_raise(reading: Reading, task: Members, scope: Scope) -> Raise:
    """Lower `raise`, whose error is written there or named."""
    node = member_of(task, "raise", "error")
    if isinstance(node, Leaf):
        node = named(reading, "errors", node, reading.uses.errors)
    return Raise(error(reading, node, scope))


def error(reading: Reading, node: Node | None, scope: Scope) -> Template:
    """Return the template of an error."""
    instance = entries_of(node).get("instance")
    if instance is not None:
        complain(
            reading,
            "W1305",
            "`instance` is not read: it is always the pointer of the task that raises the error",
            instance.key_span,
            "remove it",
            label="has no effect",
        )
    written = entries_of(node)
    return {name: template(reading, written[name].node, scope) for name in _MEMBERS if name in written}


def lower_try(reading: Reading, task: Members, scope: Scope) -> Try:
    """Lower `try` with its `catch`."""
    body = sequence(reading, task.get("try"), scope.at("try"))
    return Try(body, _catch(reading, task.get("catch"), scope))


def _catch(reading: Reading, node: Node | None, scope: Scope) -> Catch:
    variable = text_of(member_of(node, "as")) or "error"
    check_variable(reading, member_of(node, "as"))
    caught = scope.seeing(variable)
    handler = member_of(node, "do")
    then = entries_of(node).get("then")
    if then is not None:
        of_patch(reading, "`catch.then`", then.key_span, since=NEWEST_PATCH)
    return Catch(
        matching=_matching(member_of(node, "errors", "with")),
        variable=variable,
        when=condition(reading, member_of(node, "when"), caught),
        except_when=condition(reading, member_of(node, "exceptWhen"), caught),
        retry=_retry_of(reading, member_of(node, "retry"), caught),
        body=None if handler is None else sequence(reading, handler, caught.at("catch", "do")),
        then=directive(reading, member_of(node, "then"), scope),
    )


def _matching(node: Node | None) -> dict[str, Value]:
    matching: dict[str, Value] = {}
    for member in entries_of(node).values():
        # The schema of a filter says `details`, that of an error `detail`.
        name = "detail" if member.key == "details" else member.key
        value = plain(member.node)
        matching[name] = canonical(value) if name == "type" and isinstance(value, str) else value
    return matching


def _retry_of(reading: Reading, node: Node | None, scope: Scope) -> Retry | None:
    if isinstance(node, Leaf):
        node = named(reading, "retries", node, reading.uses.retries)
    return None if node is None else retry(reading, node, scope)


def retry(reading: Reading, node: Node, scope: Scope) -> Retry:
    """Return a retry policy. What it leaves out means: at once, without growth, without end."""
    limit = member_of(node, "limit")
    jitter = member_of(node, "jitter")
    return Retry(
        when=condition(reading, member_of(node, "when"), scope),
        except_when=condition(reading, member_of(node, "exceptWhen"), scope),
        delay=duration(reading, member_of(node, "delay"), scope) or 0,
        backoff=_backoff(member_of(node, "backoff")),
        jitter_from=duration(reading, member_of(jitter, "from"), scope) or 0,
        jitter_to=duration(reading, member_of(jitter, "to"), scope) or 0,
        attempts_max=whole_of(member_of(limit, "attempt", "count")),
        attempt_seconds=duration(reading, member_of(limit, "attempt", "duration"), scope),
        total_seconds=duration(reading, member_of(limit, "duration"), scope),
    )


def _backoff(node: Node | None) -> Backoff:
    written = entries_of(node)
    return next((backoff for backoff in Backoff if backoff.value in written), Backoff.CONSTANT)
