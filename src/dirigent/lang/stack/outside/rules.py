"""What `lifecycle` of a resource names must be there in its type: else a rule holds for nothing."""

from __future__ import annotations

import re
from typing import Final

from dirigent.lang.shape import Place, nearest, shortened
from dirigent.lang.shape.outline import Outline, outlines_of
from dirigent.lang.stack.outside.offers import TypeShape
from dirigent.lang.tree import Items, Leaf, Members, Node

_ATTRIBUTE: Final = re.compile(r"\{([^{}]*)\}")
_FIRST: Final = re.compile(r"[^.\[]+")


def check_rules(place: Place, entry: Members, name: str, shape: TypeShape) -> None:
    """Report what `identity` and `ignore` name and the type does not have (E1429)."""
    lifecycle = entry.get("lifecycle")
    if not isinstance(lifecycle, Members):
        return
    named = [
        (each, "identity", lifecycle.get("identity")) for each in _in_identity(lifecycle.get("identity"))
    ]
    ignored = lifecycle.get("ignore")
    for item in ignored.items if isinstance(ignored, Items) else ():
        first = _first(item)
        if first:
            named.append((first, "ignore", item))
    if not named:
        return
    known = {each.name: each for each in outlines_of(shape.inside)}
    for attribute, rule, node in named:
        if node is not None and known:
            _check(place, node, (attribute, rule, name), known)


def _check(place: Place, node: Node, named: tuple[str, str, str], known: dict[str, Outline]) -> None:
    attribute, rule, name = named
    found = known.get(attribute)
    if found is None:
        meant = nearest(attribute, list(known))
        place.report(
            "E1429",
            f"`{rule}` names `{shortened(attribute)}`, which a `{name}` does not have",
            node.span,
            f"did you mean `{meant}`?" if meant else "unknown",
            (f"change it to `{meant}`" if meant else f"`dirigent explain {name}` lists what there is",),
        )
    elif rule == "identity" and found.said and not {"required", "optional"} & set(found.said):
        place.report(
            "E1429",
            f"`identity` names `{attribute}`, which only the provider decides, when it is there",
            node.span,
            "not known in time",
            ("name what stands under `with`",),
        )


def _in_identity(node: Node | None) -> list[str]:
    text = node.value if isinstance(node, Leaf) and isinstance(node.value, str) else ""
    return [each.partition(".")[0] for each in _ATTRIBUTE.findall(text)]


def _first(node: Node) -> str:
    text = node.value if isinstance(node, Leaf) and isinstance(node.value, str) else ""
    found = _FIRST.match(text.removeprefix("with."))
    return found[0] if found else ""
