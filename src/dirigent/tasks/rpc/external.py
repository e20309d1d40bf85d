"""External resources as bytes: from the folder of the stack, or over the guarded client.

Rule: a failure here says that the call itself was not begun.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeAlias
from urllib.parse import unquote, urlsplit

from dirigent.model import limits
from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.http.answer import phrase
from dirigent.tasks.http.authentication import Authentication, Digest, authentication_of, header_of
from dirigent.tasks.http.client import Client, Outgoing
from dirigent.tasks.http.failure import CallFailed, malformed, misconfigured

OK: Final = 200

Read: TypeAlias = Callable[[str], bytes]
"""Reads a file below the folder of the stack; raises `OSError` for any other."""


@dataclass(frozen=True, slots=True)
class Resource:
    """Where something lies, and with which credentials it may be read."""

    endpoint: str
    authentication: Authentication | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What was read. `url` is where it came from in the end, None for a file of the stack."""

    content: bytes
    place: str
    url: str | None = None


def resource_of(value: Value, what: str) -> Resource:
    """Return the resource of a revealed request, or raise `CallFailed`."""
    endpoint = value.get("endpoint") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(endpoint, str) or not endpoint:
        raise malformed(f"`{what}.endpoint` must be a URL, or a path in the folder of the stack")
    return Resource(endpoint, authentication_of(value.get("authentication")))


async def fetched(client: Client, read: Read, resource: Resource, hosts: tuple[str, ...], what: str) -> Found:
    """Return the content of a resource; `what` names it in words. Raises `CallFailed`, as not sent."""
    scheme = urlsplit(resource.endpoint).scheme
    if scheme in {"http", "https"}:
        return await _fetched(client, resource, hosts, what)
    if scheme not in {"", "file"}:
        raise misconfigured(
            f"`{resource.endpoint}` is neither a URL of http or https nor a file of the stack"
        )
    endpoint = resource.endpoint
    name = unquote(endpoint.removeprefix("file:").removeprefix("//")) if scheme else endpoint
    try:
        content = await asyncio.to_thread(read, name)
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise misconfigured(f"the {what} `{name}` cannot be read: {why}") from None
    if len(content) > limits.HTTP_RESPONSE_BYTES:
        raise misconfigured(f"the {what} `{name}` has more than {limits.HTTP_RESPONSE_BYTES} bytes")
    return Found(content, name)


async def _fetched(client: Client, resource: Resource, hosts: tuple[str, ...], what: str) -> Found:
    headers = [("Accept", "application/json, */*;q=0.5")]
    authorization = header_of(resource.authentication)
    if authorization is not None:
        headers.append(("Authorization", authorization))
    digest = resource.authentication
    outgoing = Outgoing(
        "GET",
        resource.endpoint,
        tuple(headers),
        digest=(digest.username, digest.password) if isinstance(digest, Digest) else None,
    )
    try:
        incoming = await client.follow(outgoing, hosts)
    except CallFailed as failure:
        fault = failure.fault
        detail = f"the {what} `{resource.endpoint}` was not read: {fault.detail}"
        raise CallFailed(Fault(fault.type, fault.status, fault.title, detail)) from None
    if incoming.status != OK:
        detail = f"the {what} `{resource.endpoint}` was not read: answered {phrase(incoming.status)}"
        raise CallFailed(Fault(COMMUNICATION, incoming.status, phrase(incoming.status), detail))
    return Found(incoming.body, resource.endpoint, incoming.url)
