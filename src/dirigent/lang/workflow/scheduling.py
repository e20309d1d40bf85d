"""What the shape of a schedule cannot say: how many kinds stand there, and how short an interval may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from dirigent.lang.schedule.calendar import SHORTEST_SECONDS
from dirigent.lang.schedule.reading import KINDS
from dirigent.lang.tree import Member, Members, Node, plain
from dirigent.model.duration import seconds_of
from dirigent.model.source import Span

Complain: TypeAlias = Callable[[str, str, Span, str], None]
"""Notes a problem: code, sentence, place, remedy."""
LENGTHS: Final = ("every", "after")


def check_schedule(found: Node | None, complain: Complain, *, demanded: bool) -> None:
    """Report a schedule that says nothing or too much (E2061), and intervals that are too short (E2062)."""
    if not isinstance(found, Members):
        return
    named = [member for member in found if member.key in KINDS]
    kinds = ", ".join(f"`{kind}`" for kind in KINDS)
    if len(named) > 1:
        words = " and ".join(f"`{member.key}`" for member in named)
        complain(
            "E2061", f"a schedule says {words}: only one can hold", named[1].key_span, "keep one of them"
        )
    elif not named and demanded:
        complain("E2061", "a schedule does not say when", found.span, f"write one of {kinds}")
    for member in named:
        _check_length(member, complain)


def _check_length(member: Member, complain: Complain) -> None:
    if member.key not in LENGTHS:
        return
    if isinstance(member.node, Members) and not member.node.members:
        complain("E1308", "an empty mapping is not a duration", member.node.span, "write `{seconds: 30}`")
        return
    try:
        seconds = seconds_of(plain(member.node))
    except ValueError:
        return  # The shape has said so, or it is an expression.
    if seconds < SHORTEST_SECONDS and member.key == "every":
        complain(
            "E2062",
            f"an interval of {seconds:g} seconds is too short",
            member.node.span,
            f"the shortest is {SHORTEST_SECONDS:g} seconds",
        )
