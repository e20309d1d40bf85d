"""Agent cards: where an agent listens for JSON-RPC. Pure."""

from __future__ import annotations

from typing import Final

from dirigent.model.values import Value
from dirigent.tasks.http.answer import json_of
from dirigent.tasks.http.client import joined
from dirigent.tasks.http.failure import misconfigured
from dirigent.tasks.rpc.external import Found

TRANSPORT: Final = "JSONRPC"


def address_of(card: Found) -> str:
    """Return the URL at which the agent of a card takes JSON-RPC, or raise `CallFailed`."""
    try:
        content = json_of(card.content)
    except ValueError as error:
        raise misconfigured(f"the agent card `{card.place}` cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise misconfigured(f"the agent card `{card.place}` is not an object")
    found = next((url for transport, url in _interfaces(content) if transport == TRANSPORT), None)
    if found is None:
        raise misconfigured(f"the agent card `{card.place}` names no address for the transport {TRANSPORT}")
    return found if card.url is None else joined(card.url, found)


def _interfaces(card: dict[str, Value]) -> list[tuple[str, str]]:
    """Return the transports and addresses of a card, the preferred one first."""
    found: list[tuple[str, str]] = []
    url = card.get("url")
    if isinstance(url, str) and url:
        found.append((str(card.get("preferredTransport") or TRANSPORT).upper(), url))
    for name in ("additionalInterfaces", "supportedInterfaces"):
        listed = card.get(name)
        for each in listed if isinstance(listed, list) else []:
            address = each.get("url") if isinstance(each, dict) else None
            if isinstance(each, dict) and isinstance(address, str) and address:
                kind = each.get("transport") or each.get("protocolBinding") or ""
                found.append((str(kind).upper(), address))
    return found
