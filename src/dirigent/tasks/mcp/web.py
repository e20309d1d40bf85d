"""The line over streamable HTTP: every message is a POST; answers come as JSON or as events."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from dirigent.model.values import Value
from dirigent.tasks.http.client import Outgoing
from dirigent.tasks.http.failure import CallFailed, broken
from dirigent.tasks.http.message import KEY_HEADER, Call, outgoing_of
from dirigent.tasks.mcp.request import Web
from dirigent.tasks.mcp.session import OPENING
from dirigent.tasks.rpc.message import is_answer, reply_to, written
from dirigent.tasks.rpc.post import ACCEPT, Route, post

SESSION: Final = "mcp-session-id"
VERSION_HEADER: Final = "MCP-Protocol-Version"
PARTING_SECONDS: Final = 5.0


@dataclass(slots=True)
class WebLine:
    """Fits `session.Line`. `key` is the effect id, sent as `Idempotency-Key` with the call itself alone."""

    route: Route
    web: Web
    key: str
    _session: str = ""
    _version: str = ""

    async def ask(self, message: dict[str, Value]) -> dict[str, Value]:
        """Post a request and return its answer."""
        wanted = str(message["id"])
        found: list[dict[str, Value]] = []

        async def take(each: dict[str, Value]) -> bool:
            if is_answer(each, wanted):
                found.append(each)
                return True
            reply = reply_to(each)
            if reply is not None:
                await self.tell(reply)
            return False

        headers = await post(self.route, self._outgoing(message), take)
        for name, text in headers:
            if name.lower() == SESSION and wanted == OPENING:
                self._session = text
        if not found:
            raise broken(f"`{self.web.endpoint}` ended its answer before the result was there")
        return found[0]

    async def tell(self, message: dict[str, Value]) -> None:
        """Post a message that has no answer; one that comes all the same is passed over."""

        async def take(_: dict[str, Value]) -> bool:
            return True

        await post(self.route, self._outgoing(message), take)

    def agree(self, version: str) -> None:
        """Name this version in every message from now on."""
        self._version = version

    async def part(self) -> None:
        """End the session at the server, if it gave us one; a server may refuse that."""
        if not self._session:
            return
        with suppress(CallFailed):
            async with self.route.client.opened(self._outgoing(None), self.route.hosts, PARTING_SECONDS):
                return

    def _outgoing(self, message: dict[str, Value] | None) -> Outgoing:
        headers = {"Accept": ACCEPT, "Content-Type": "application/json"}
        if self._session:
            headers["Mcp-Session-Id"] = self._session
        if self._version:
            headers[VERSION_HEADER] = self._version
        given = {name.lower() for name in self.web.headers}
        headers = {name: text for name, text in headers.items() if name.lower() not in given}
        call = Call(
            "POST",
            self.web.endpoint,
            headers={**headers, **self.web.headers},
            authentication=self.web.authentication,
        )
        outgoing = outgoing_of(call, self.key)
        if message is None:
            return replace(outgoing, method="DELETE")
        if message.get("id") == self.key:
            return replace(outgoing, body=written(message))
        # One key must not be seen with two bodies.
        kept = tuple((name, text) for name, text in outgoing.headers if name != KEY_HEADER)
        return replace(outgoing, headers=kept, body=written(message))
