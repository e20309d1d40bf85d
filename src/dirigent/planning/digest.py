"""Digests of plans and rows: the same content gives the same text, in every process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from enum import Enum

from dirigent.model.ids import PlanId, digest_of
from dirigent.model.plan import Plan
from dirigent.model.resource import ResourceRow
from dirigent.model.source import Span

_ID_CHARACTERS = 12

# Figures of the making, not of what is planned: they may differ between equal plans.
_IGNORED = frozenset({"id", "at", "read_seconds", "sources"})


def fingerprint(rows: Sequence[ResourceRow]) -> str:
    """Return the digest of all rows, whatever their order: the world that a plan was made for."""
    return _digest(sorted(rows, key=lambda row: row.address))


def identity(plan: Plan) -> PlanId:
    """Return the id of a plan, derived from everything in it but its time and its places in the text."""
    content = {field.name: getattr(plan, field.name) for field in fields(plan) if field.name not in _IGNORED}
    return PlanId(_digest(content)[:_ID_CHARACTERS])


def _digest(content: object) -> str:
    text = json.dumps(content, default=_plain, sort_keys=True, separators=(",", ":"))
    return digest_of(text.encode("utf-8", "surrogatepass"))


def _plain(thing: object) -> object:
    """Return a value of the model in terms of JSON; a key that no document can hold marks its class."""
    match thing:
        case Span():
            return None
        case Enum():
            return {"\x00": type(thing).__name__, "value": thing.value}
        case _ if is_dataclass(thing):
            members: dict[str, object] = {field.name: getattr(thing, field.name) for field in fields(thing)}
            return {"\x00": type(thing).__name__, **members}
        case _:
            raise TypeError(f"{thing!r} has no place in a plan")
