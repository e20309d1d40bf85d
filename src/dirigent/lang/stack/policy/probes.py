"""Probes: how a server is asked whether it carried a call out, from text to what a run records of it."""

from __future__ import annotations

from dirigent.lang.shape import inner_expression
from dirigent.lang.stack.reading import Reading, mapping_of, text_of
from dirigent.lang.tree import Items, Leaf, Members, Node
from dirigent.model.run.retention import age_seconds
from dirigent.model.values import Value
from dirigent.ports import ExpressionFailed


def read_probes(reading: Reading, policy: Members | None) -> tuple[Value, ...]:
    """Return `policy.http.probes`; report an expression that cannot be used there (E1420)."""
    http = mapping_of(policy.get("http")) if policy is not None else None
    declared = http.get("probes") if http is not None else None
    if not isinstance(declared, Items):
        return ()
    found = [_probe(reading, item) for item in declared.items]
    return tuple(each for each in found if each is not None)


def _probe(reading: Reading, item: Node) -> dict[str, Value] | None:
    node = mapping_of(item)
    reference = mapping_of(node.get("reference")) if node is not None else None
    if node is None or reference is None:
        return None
    probe: dict[str, Value] = {name: text_of(node.get(name)) for name in ("call", "ask")}
    probe["reference"] = {member.key: text_of(member.node) for member in reference}
    probe["found"] = _found(reading, node.get("found"))
    probe["settle"] = age_seconds(text_of(node.get("settle")) or "") or 0.0
    return probe


def _found(reading: Reading, node: Node | None) -> str:
    text = text_of(node)
    if text is None or not isinstance(node, Leaf):
        return "."
    text = (inner_expression(text) or text).strip()
    try:
        compiled = reading.context.language.compile(text)
    except ExpressionFailed as failure:
        _refuse(reading, node, f"`found` is no expression: {failure}")
        return "."
    if names := sorted(compiled.variables):
        _refuse(reading, node, f"`found` knows no `${names[0]}`: it sees the content of the answer, as `.`")
    elif not compiled.local:
        _refuse(reading, node, "`found` needs the expression worker; keep it to paths, `select` and `first`")
    return text


def _refuse(reading: Reading, node: Leaf, words: str) -> None:
    reading.complain("E1420", words, node.span, "cannot be used here", "write it as `.items[0]`, for example")
