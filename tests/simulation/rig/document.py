"""A random program as the Open Workflow document that lowers to it, as a person would have written it."""

from __future__ import annotations

import yaml

from core.simulation import SlowLanguage
from dirigent.lang.workflow.document import read_naked
from dirigent.model.events.listening import Quorum, Strategy
from dirigent.model.program import (
    Backoff,
    Call,
    Emit,
    Fork,
    Listen,
    Loop,
    Raise,
    Sequence,
    Set,
    Switch,
    Try,
    Wait,
)
from dirigent.model.values import Expression


def lowered(program):
    """The program that the front-end makes of the document of a program."""
    text = yaml.safe_dump(document_of(program), sort_keys=False)
    found, problems = read_naked(text, f"{program.name}.yaml", SlowLanguage())
    assert found is not None, [str(problem) for problem in problems]
    return found


def document_of(program):
    """The whole document."""
    head = {"dsl": "1.0.3", "namespace": program.namespace, "name": program.name, "version": program.version}
    found = {"document": head, "do": listed(program.root.node.tasks)}
    found.update(borders(program.root))
    return found


def listed(tasks):
    return [{task.name: task_of(task)} for task in tasks]


def task_of(task):
    found = {"if": text(task.condition)} if task.condition is not None else {}
    found.update(written(task.node))
    found.update(borders(task))
    if task.then != "continue":
        found["then"] = task.then
    return found


def borders(task):
    """What data crosses, and how long it may take."""
    names = (("input", "from", task.input), ("output", "as", task.output), ("export", "as", task.export))
    found = {name: {how: text(border.shape)} for name, how, border in names if border.present}
    if task.timeout_seconds is not None:
        found["timeout"] = {"after": span(task.timeout_seconds)}
    return found


def written(node):
    """The members that say what kind of work a task is."""
    return KINDS[type(node)](node)


def called(function, request):
    if function == "http":
        given = {name: request[name] for name in ("method", "endpoint")}
        return {"call": "http", "with": {**given, "body": text(request["body"])}}
    if function == "shell":
        return {"run": {"shell": {"command": request["command"], "stdin": text(request["stdin"])}}}
    named = {name: request[name] for name in ("namespace", "name", "version")}
    return {"run": {"workflow": {**named, "input": text(request["input"])}}}


def case_of(case):
    found = {"then": case.then}
    return found if case.when is None else {"when": text(case.when), **found}


def loop(node):
    items = node.items if isinstance(node.items, Expression) else Expression(str(node.items))
    found = {"for": {"each": node.each, "at": node.at, "in": text(items)}}
    if node.condition is not None:
        found["while"] = text(node.condition)
    return {**found, "do": listed(node.body.tasks)}


def caught(catch):
    found = {"errors": {"with": catch.matching}} if catch.matching else {}
    if catch.when is not None:
        found["when"] = text(catch.when)
    if catch.retry is not None:
        found["retry"] = retried(catch.retry)
    if catch.body is not None:
        found["do"] = listed(catch.body.tasks)
    return found


def retried(retry):
    growth = {Backoff.CONSTANT: "constant", Backoff.LINEAR: "linear", Backoff.EXPONENTIAL: "exponential"}
    attempt = {"count": retry.attempts_max}
    if retry.attempt_seconds is not None:
        attempt["duration"] = span(retry.attempt_seconds)
    found = {
        "delay": span(retry.delay),
        "backoff": {growth[retry.backoff]: {}},
        "limit": {"attempt": attempt},
    }
    if retry.total_seconds is not None:
        found["limit"]["duration"] = span(retry.total_seconds)
    if retry.when is not None:
        found["when"] = text(retry.when)
    return found


def span(seconds):
    return f"PT{seconds:.9f}S"


def text(template):
    if isinstance(template, Expression):
        return f"${{ {template.text} }}"
    if isinstance(template, dict):
        return {name: text(item) for name, item in template.items()}
    return template


def listened(node):
    found = {"listen": {"to": strategy(node.to), "read": node.read.value}}
    each = node.each
    if each is None:
        return found
    inner = {"item": each.item, "at": each.at}
    if each.body is not None:
        inner["do"] = listed(each.body.tasks)
    for name, how, border in (("output", "as", each.output), ("export", "as", each.export)):
        if border.present:
            inner[name] = {how: text(border.shape)}
    return {**found, "foreach": inner}


def strategy(to):
    filters = [sought(each) for each in to.filters]
    found = {to.quorum.value: filters[0] if to.quorum is Quorum.ONE else filters}
    if to.until is not None:
        found["until"] = strategy(to.until) if isinstance(to.until, Strategy) else text(to.until)
    return found


def sought(each):
    found = {"with": text(each.attributes)}
    if each.correlate:
        found["correlate"] = {name: correlation(link) for name, link in each.correlate.items()}
    return found


def correlation(link):
    found = {"from": text(link.source)}
    return {**found, "expect": text(link.expect)} if link.expected else found


KINDS = {
    Sequence: lambda node: {"do": listed(node.tasks)},
    Call: lambda node: called(node.function, node.request),
    Set: lambda node: {"set": text(node.value)},
    Wait: lambda node: {"wait": span(node.seconds)},
    Raise: lambda node: {"raise": {"error": node.error}},
    Switch: lambda node: {"switch": [{case.name: case_of(case)} for case in node.cases]},
    Loop: loop,
    Fork: lambda node: {"fork": {"compete": node.compete, "branches": listed(node.branches)}},
    Emit: lambda node: {"emit": {"event": {"with": text(node.event)}}},
    Listen: listened,
    Try: lambda node: {"try": listed(node.body.tasks), "catch": caught(node.catch)},
}
