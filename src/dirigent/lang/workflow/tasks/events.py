"""Events sent and awaited: `emit`, `listen`, and the strategies that `schedule.on` has in common with it.

What an attribute may be is checked here as far as it is written out; what is computed is checked when it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dirigent.lang.shape import inner_expression, shortened
from dirigent.lang.tree import Items, Leaf, Member, Members, Node, plain
from dirigent.lang.workflow.expressions import condition, template
from dirigent.lang.workflow.reading import (
    Reading,
    Scope,
    complain,
    entries_of,
    member_of,
    text_of,
)
from dirigent.lang.workflow.tasks.each import each_event
from dirigent.model.events.attributes import NAME, attribute_complaint
from dirigent.model.events.listening import Correlation, EventFilter, Quorum, Read, Strategy
from dirigent.model.events.pattern import PatternError, compiled, is_pattern
from dirigent.model.program import IDENTITY, Emit, Listen
from dirigent.model.values import Expression, Template

EXTENSIONS: Final = "extensions"
ANYTHING: Final = ("data", "datacontenttype", "dataschema", "id", "source", "subject", "time", "type")


def lower_emit(reading: Reading, task: Members, scope: Scope) -> Emit:
    """Lower `emit`."""
    written = entries_of(member_of(task, "emit", "event", "with"))
    return Emit({name: _made(reading, member, scope) for name, member in written.items()})


def _made(reading: Reading, member: Member, scope: Scope) -> Template:
    if member.key == EXTENSIONS:
        inner = entries_of(member.node)
        return {name: _made(reading, each, scope) for name, each in inner.items()}
    node = member.node
    if member.key != "data" and not _computed(node):
        words = attribute_complaint(member.key, plain(node))
        if words:
            complain(
                reading,
                "E1970",
                f"the event cannot be emitted: {words}",
                member.key_span if not isinstance(node, Leaf) else node.span,
                "attributes of CloudEvents are text; whatever else there is to say belongs into `data`",
                label="no attribute of an event",
            )
    return template(reading, node, scope)


def lower_listen(reading: Reading, task: Members, scope: Scope) -> Listen:
    """Lower `listen` with its `foreach`."""
    listen = task.get("listen")
    how = text_of(member_of(listen, "read"))
    to = lower_strategy(reading, member_of(listen, "to"), scope.at("listen", "to"))
    read = next((each for each in Read if each.value == how), Read.DATA)
    each = task.members.get("foreach")
    return Listen(to, read, None if each is None else each_event(reading, each, scope.at("foreach")))


def lower_strategy(reading: Reading, node: Node | None, scope: Scope) -> Strategy:
    """Return which events are to be consumed: of `listen.to`, or of `schedule.on`."""
    written = entries_of(node)
    quorum = next((each for each in Quorum if each.value in written), Quorum.ANY)
    filters = written[quorum.value].node if quorum.value in written else None
    nodes = filters.items if isinstance(filters, Items) else [filters]
    until = member_of(node, "until")
    return Strategy(
        quorum,
        tuple(_filter(reading, each, scope) for each in nodes if isinstance(each, Members)),
        _until(reading, until, scope),
    )


def _until(reading: Reading, node: Node | None, scope: Scope) -> Expression | Strategy | None:
    if isinstance(node, Members):
        return lower_strategy(reading, node, scope.at("until"))
    return condition(reading, node, scope)


def _filter(reading: Reading, node: Members, scope: Scope) -> EventFilter:
    wanted = member_of(node, "with")
    attributes: dict[str, Template] = {}
    for name, member in entries_of(wanted).items():
        # The extensions of an event lie beside its other attributes.
        inner = entries_of(member.node).items() if name == EXTENSIONS else ((name, member),)
        attributes.update((each, _wanted(reading, each, of, scope)) for each, of in inner)
    if isinstance(wanted, Members) and not attributes:
        complain(
            reading,
            "E1971",
            "a filter needs at least one attribute of the events that it lets pass",
            wanted.span,
            "write `with: {type: com.example.paid}`, or `any: []` to let every event pass",
            label="lets everything pass",
        )
    links = {
        member.key: _correlation(reading, member.node, scope)
        for member in entries_of(member_of(node, "correlate")).values()
    }
    return EventFilter(attributes, links)


def _wanted(reading: Reading, name: str, member: Member, scope: Scope) -> Template:
    node = member.node
    if name != "data" and not NAME.fullmatch(name):
        complain(
            reading,
            "E1972",
            f"`{shortened(name)}` is no attribute of an event: names are lower-case letters and digits",
            member.key_span,
            "the attributes are " + ", ".join(f"`{each}`" for each in ANYTHING) + ", and extensions",
        )
    if isinstance(node, Leaf) and isinstance(node.value, str) and not _computed(node):
        _check_pattern(reading, node, node.value)
    return template(reading, node, scope)


def _check_pattern(reading: Reading, node: Leaf, text: str) -> None:
    if not is_pattern(text):
        return
    try:
        compiled(text)
    except PatternError as why:
        complain(
            reading,
            "E1973",
            f"`{shortened(text)}` is no regular expression: {why}",
            node.span,
            r"write `\` before a character that is meant as it stands",
            label="taken for a regular expression",
        )


def _correlation(reading: Reading, node: Node, scope: Scope) -> Correlation:
    expect = member_of(node, "expect")
    source = condition(reading, member_of(node, "from"), scope)
    return Correlation(source or IDENTITY, template(reading, expect, scope), expect is not None)


def _computed(node: Node) -> bool:
    return isinstance(node, Leaf) and isinstance(node.value, str) and inner_expression(node.value) is not None


# Before there is a run, an expression sees the event alone.
BEFORE_RUN: Final = Scope("/schedule/on", arguments=())


def lower_on(reading: Reading, node: Node | None) -> Strategy:
    """Return which events start a run; report expressions that cannot be computed before there is one."""
    for each in _filters(node):
        for member in entries_of(member_of(each, "correlate")).values():
            _check_expected(reading, member_of(member.node, "expect"))
    return lower_strategy(reading, node, BEFORE_RUN)


def _filters(node: Node | None) -> Iterator[Node]:
    """Yield every filter of a strategy, those of its end among them."""
    for member in entries_of(node).values():
        if isinstance(member.node, Items):
            yield from member.node.items
        elif member.key == "until":
            yield from _filters(member.node)
        else:
            yield member.node


def _check_expected(reading: Reading, node: Node | None) -> None:
    if isinstance(node, Leaf) and isinstance(node.value, str) and inner_expression(node.value) is not None:
        complain(
            reading,
            "E1947",
            "what a correlation expects cannot be computed before there is a run",
            node.span,
            "write the value itself, or leave `expect` out: then it is what the first event gives",
            label="computed",
        )
