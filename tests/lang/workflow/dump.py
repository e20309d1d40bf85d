"""A program as text, for scenario files: one line a task, its parts indented, nothing left out."""

from dirigent.model.events.listening import Strategy
from dirigent.model.program import (
    UNFILTERED,
    Call,
    Consume,
    Emit,
    Extended,
    Fork,
    Graph,
    Listen,
    Loop,
    Raise,
    Sequence,
    Set,
    Switch,
    Try,
    Wait,
)
from dirigent.model.values import Expression, UriTemplate


def dump(program):
    lines = [f"program {program.namespace}/{program.name} {program.version} kind={program.kind}"]
    lines += [f"secrets {' '.join(program.secrets)}"] * bool(program.secrets)
    lines += [f"hosts {' '.join(program.hosts)}"] * bool(program.hosts)
    lines += _task(program.root)
    return "\n".join(lines) + "\n"


def value(template):
    match template:
        case Expression(text, _):
            return f"<{text}>"
        case UriTemplate(text, _):
            return f"uri<{text}>"
        case dict():
            return "{" + ", ".join(f"{key}: {value(each)}" for key, each in template.items()) + "}"
        case list():
            return "[" + ", ".join(value(each) for each in template) + "]"
    return repr(template)


def _task(task):
    place = f" @{task.span.line}:{task.span.column}" if task.span else ""
    parts = []
    if task.condition is not None:
        parts.append(f"if {value(task.condition)}")
    for name in ("input", "output", "export"):
        border = getattr(task, name)
        if border != UNFILTERED:
            schema = f" schema {border.schema}" if border.schema is not None else ""
            parts.append(f"{name} {value(border.shape)}{schema}")
    if task.timeout_seconds is not None:
        parts.append(f"timeout {value(task.timeout_seconds)}")
    if task.then != "continue":
        parts.append(f"then {task.then}")
    body = parts + _node(task.node)
    return [f"{task.name} {task.pointer or '-'}{place}", *_indented(body)]


def _indented(lines):
    return [f"  {line}" for line in lines]


def _tasks(tasks):
    return _indented([line for task in tasks for line in _task(task)])


def _node(node):
    return SHOWN[type(node)](node)


def _loop(node):
    asked = f" while {value(node.condition)}" if node.condition else ""
    return [f"for ${node.each} at ${node.at} in {value(node.items)}{asked}", *_tasks(node.body.tasks)]


def _extended(node):
    lines = []
    for each in node.extensions:
        lines.append(f"extension {each.name}{f' when {value(each.when)}' if each.when else ''}")
        for name in ("before", "after"):
            block = getattr(each, name)
            if block is not None:
                lines += _indented([name, *_tasks(block.tasks)])
    return [*lines, *_node(node.work)]


def _switch(node):
    cases = [f"{c.name}: {value(c.when) if c.when else 'default'} -> {c.then}" for c in node.cases]
    return ["switch", *_indented(cases)]


def _strategy(strategy, lead=""):
    lines = [f"{lead}{strategy.quorum.value}"]
    for each in strategy.filters:
        links = [
            f"{name} = {value(link.source)}" + (f" is {value(link.expect)}" if link.expected else "")
            for name, link in each.correlate.items()
        ]
        lines += _indented([f"with {value(each.attributes)}", *_indented(links)])
    if isinstance(strategy.until, Strategy):
        return lines + _strategy(strategy.until, "until ")
    return lines + [f"until {value(strategy.until)}"] * (strategy.until is not None)


def _listen(node):
    lines = [f"listen read {node.read.value}", *_indented(_strategy(node.to))]
    return lines if node.each is None else lines + _each(node.each)


def _each(each):
    lines = [f"foreach ${each.item} at ${each.at}"]
    borders = [(name, getattr(each, name)) for name in ("output", "export")]
    lines += [f"  {name} {value(border.shape)}" for name, border in borders if border != UNFILTERED]
    return lines + _tasks(each.body.tasks if each.body else ())


def _consume(node):
    ends = {"amount": node.amount, "while": node.go_on, "until": node.until}
    lines = [f"{name} {value(end)}" for name, end in ends.items() if end is not None]
    return ["consume", *_indented([*lines, *_call(node.call), *_each(node.each)])]


def _call(node):
    request = [f"{name} = {value(each)}" for name, each in node.request.items()]
    return [f"call {node.function} on doubt {node.on_doubt.value}", *_indented(request)]


def _catch(catch):
    lines = [f"catch {catch.matching} as ${catch.variable}"]
    if catch.when:
        lines.append(f"  when {value(catch.when)}")
    if catch.except_when:
        lines.append(f"  except when {value(catch.except_when)}")
    if catch.retry:
        lines.append(f"  retry {_retry(catch.retry)}")
    if catch.body:
        lines += ["  do", *_indented(_tasks(catch.body.tasks))]
    if catch.then != "continue":
        lines.append(f"  then {catch.then}")
    return lines


def _retry(retry):
    parts = [f"{retry.backoff.value} delay {value(retry.delay)}"]
    parts += [f"jitter {value(retry.jitter_from)}..{value(retry.jitter_to)}"] * (retry.jitter_to != 0)
    parts += [f"attempts {retry.attempts_max}"] * (retry.attempts_max is not None)
    parts += [f"attempt {value(retry.attempt_seconds)}"] * (retry.attempt_seconds is not None)
    parts += [f"total {value(retry.total_seconds)}"] * (retry.total_seconds is not None)
    parts += [f"when {value(retry.when)}"] * (retry.when is not None)
    parts += [f"except when {value(retry.except_when)}"] * (retry.except_when is not None)
    return ", ".join(parts)


def _graph(node):
    edges = [f"{name} needs {', '.join(needs)}" for name, needs in node.needs.items() if needs]
    return [f"graph ${node.binds}", *_indented(edges), *_tasks(node.tasks)]


SHOWN = {
    Graph: _graph,
    Emit: lambda node: [f"emit {value(node.event)}"],
    Listen: _listen,
    Consume: _consume,
    Extended: _extended,
    Sequence: lambda node: ["do", *_tasks(node.tasks)],
    Loop: _loop,
    Fork: lambda node: ["fork compete" if node.compete else "fork", *_tasks(node.branches)],
    Switch: _switch,
    Try: lambda node: ["try", *_tasks(node.body.tasks), *_catch(node.catch)],
    Call: _call,
    Wait: lambda node: [f"wait {value(node.seconds)}"],
    Set: lambda node: [f"set {value(node.value)}"],
    Raise: lambda node: [f"raise {value(node.error)}"],
}
