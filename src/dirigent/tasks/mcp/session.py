"""A session with an MCP server: initialise, ask once. The same over every line.

Rule: only the last message can have an effect, so only its loss leaves a doubt.
"""

from __future__ import annotations

import asyncio
import json
from typing import Final, Protocol

from dirigent.model.fault import RUNTIME, Fault
from dirigent.model.values import Value
from dirigent.tasks.http.answer import excerpt
from dirigent.tasks.http.failure import CallFailed, broken
from dirigent.tasks.mcp.request import Wanted
from dirigent.tasks.rpc.message import notification, request, result_of

# In these the methods that we call have one form.
KNOWN_VERSIONS: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
OPENING: Final = "initialize"
# The place that MCP has for what a client adds to a request.
EFFECT: Final = "dirigent/effect"


class Line(Protocol):
    """A way to a server. It answers the server's own requests itself."""

    async def ask(self, message: dict[str, Value]) -> dict[str, Value]:
        """Send a request and return its answer, or raise `CallFailed`."""
        ...

    async def tell(self, message: dict[str, Value]) -> None:
        """Send what nobody answers."""
        ...

    def agree(self, version: str) -> None:
        """Learn which version of the protocol holds from now on."""
        ...


async def held(line: Line, wanted: Wanted, key: str) -> Value:
    """Return the result of a call under the effect id `key`, or raise `CallFailed`."""
    ends_at = asyncio.get_running_loop().time() + wanted.seconds
    try:
        async with asyncio.timeout_at(ends_at):
            await _opened(line, wanted)
    except CallFailed as failure:
        raise CallFailed(failure.fault, sent=False) from None
    except TimeoutError:
        raise broken(
            f"the session was not open within {wanted.seconds:g} s", status=408, sent=False
        ) from None
    try:
        async with asyncio.timeout_at(ends_at):
            result = result_of(await line.ask(_request(wanted, key)))
    except TimeoutError:
        raise broken(f"no answer within {wanted.seconds:g} s", status=408) from None
    if isinstance(result, dict) and result.get("isError") is True:
        raise CallFailed(Fault(RUNTIME, 500, "The tool failed", _told(result)))
    return result


def _request(wanted: Wanted, key: str) -> dict[str, Value]:
    params = wanted.params
    if wanted.unsafe:
        meta = params.get("_meta")
        params = {**params, "_meta": {**(meta if isinstance(meta, dict) else {}), EFFECT: key}}
    return request(wanted.method, params, key)


async def _opened(line: Line, wanted: Wanted) -> None:
    opening: dict[str, Value] = {
        "protocolVersion": wanted.version,
        "capabilities": {},
        "clientInfo": wanted.client,
    }
    result = result_of(await line.ask(request(OPENING, opening, OPENING)))
    version = result.get("protocolVersion") if isinstance(result, dict) else None
    if not isinstance(version, str):
        raise broken("the server did not say in which version of MCP it answers")
    if version != wanted.version and version not in KNOWN_VERSIONS:
        shown = excerpt(version)
        raise broken(f"the server speaks version `{shown}` of MCP; known are {', '.join(KNOWN_VERSIONS)}")
    line.agree(version)
    await line.tell(notification("notifications/initialized"))


def _told(result: dict[str, Value]) -> str:
    """Return what a tool says of its failure: its texts, else the beginning of all of it."""
    content = result.get("content")
    found = (
        [each.get("text") for each in content if isinstance(each, dict)] if isinstance(content, list) else []
    )
    texts = [text for text in found if isinstance(text, str)]
    return excerpt("\n".join(texts) if texts else json.dumps(result, ensure_ascii=False, default=str))
