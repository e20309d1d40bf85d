"""What is not managed: looked up (`read`), opened for a while (`open`), or the result of a function (`call`).

One of these keys stands in the place of `type`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from dirigent.lang.shape import Place, nearest, shortened
from dirigent.lang.stack.outside.providers import provider_of_function
from dirigent.lang.tree import Leaf, Member, Members
from dirigent.model.record import dataclass
from dirigent.model.resource import CALL, OPEN
from dirigent.model.source import Span

KINDS: Final = ("read", "open", "call")
_WORDS: Final = {"read": "data source", "open": "ephemeral type"}
_MARKS: Final = {"read": "", "open": OPEN, "call": CALL}
_FUNCTION: Final = re.compile(r"(?:provider::)?[A-Za-z][A-Za-z0-9_-]*::[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Looked:
    """The key that stands there, what it names, and the type by which planning knows it."""

    kind: str
    name: str
    type: str
    at: Span

    @property
    def bare(self) -> str:
        """Return the name by which its provider has it: that of a function stands behind the provider's."""
        return self.name.rpartition("::")[2]


def looked_up(entry: Members) -> Looked | None:
    """Return what an entry looks up, opens or calls; None where it does not."""
    for kind in KINDS:
        member = entry.members.get(kind)
        if member is not None and isinstance(member.node, Leaf) and isinstance(member.node.value, str):
            name = member.node.value
            return Looked(kind, name, f"{_MARKS[kind]}{name}", member.node.span)
    return None


def check_one(place: Place, entry: Members) -> None:
    """Report a second of `type`, `read`, `open`, `call`, and a call that names no function (E1440)."""
    there = [entry.members[key] for key in ("type", *KINDS) if key in entry.members]
    for second in there[1:]:
        place.report(
            "E1440",
            f"there are both `{there[0].key}` and `{second.key}`",
            second.key_span,
            "only one of them may stand",
            (f"keep `{there[0].key}`, or give `{second.key}` an entry of its own",),
        )
    call = entry.members.get("call")
    if call is not None and there[0] is call:
        _check_function(place, call)


def refuse_undeclared(place: Place, looks: Looked, declared: Mapping[str, Span]) -> None:
    """Report that nobody opens or calls this: its provider is not declared (E1441)."""
    prefix = provider_of_function(looks.name) if looks.kind == "call" else looks.name.partition("_")[0]
    meant = nearest(prefix, list(declared))
    verb = "called" if looks.kind == "call" else "opened"
    place.report(
        "E1441",
        f"`{shortened(looks.name)}` cannot be {verb}: no provider `{shortened(prefix)}` is declared",
        looks.at,
        f"did you mean the provider `{meant}`?" if meant else "no such provider",
        (f"declare `{shortened(prefix)}` under `providers`, or name one with `provider:`",),
    )


def refuse_unoffered(place: Place, looks: Looked, provider: str, known: Collection[str]) -> None:
    """Report that a provider has no such data source or ephemeral type (E1425)."""
    meant, what = nearest(looks.name, list(known)), _WORDS[looks.kind]
    place.report(
        "E1425",
        f"the provider `{provider}` has no {what} `{shortened(looks.name)}`",
        looks.at,
        f"did you mean `{meant}`?" if meant else f"unknown {what}",
        (
            f"change it to `{meant}`" if meant else f"it has {len(known) or 'none'}",
            "`dirigent explain` lists all types of this stack",
        ),
    )


def _check_function(place: Place, call: Member) -> None:
    node = call.node
    if not isinstance(node, Leaf) or not isinstance(node.value, str) or _FUNCTION.fullmatch(node.value):
        return
    place.report(
        "E1440",
        f"`{shortened(node.value)}` is no function of a provider",
        node.span,
        "no `::` between a provider and a function" if "::" not in node.value else "not a name",
        ("write `PROVIDER::FUNCTION`, as `time::rfc3339_parse`",),
    )
