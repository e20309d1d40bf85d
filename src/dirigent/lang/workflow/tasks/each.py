"""`foreach`: what is done with each event of a listener, or each message of a subscription."""

from __future__ import annotations

from dirigent.lang.tree import Member
from dirigent.lang.workflow import dataflow
from dirigent.lang.workflow.expressions import check_variable
from dirigent.lang.workflow.reading import Reading, Scope, complain, member_of, text_of
from dirigent.lang.workflow.tasks.task import sequence
from dirigent.model.program import EachEvent


def each_event(reading: Reading, member: Member, scope: Scope) -> EachEvent:
    """Lower `foreach`; `scope.pointer` is its own. Two variables of one name are refused (E1312)."""
    node = member.node
    item, at = names_of(member)
    for key in ("item", "at"):
        check_variable(reading, member_of(node, key))
    if item == at:
        complain(
            reading,
            "E1312",
            f"`item` and `at` are both `{item}`",
            member.key_span,
            "give the event and its index two names",
        )
    inside = scope.seeing(item, at)
    body = member_of(node, "do")
    return EachEvent(
        item,
        at,
        None if body is None else sequence(reading, body, inside.at("do")),
        dataflow.output_filter(reading, node, inside),
        dataflow.export_filter(reading, node, inside),
    )


def names_of(member: Member) -> tuple[str, str]:
    """Return the variables of the item and of its index."""
    return text_of(member_of(member.node, "item")) or "item", text_of(member_of(member.node, "at")) or "index"
