"""The performer of `mcp`. The request is described in `docs/protocols.md`.

Rule: after a crash a tool is called again only by the author's policy or a person's word; what only
lists or reads is asked again.
"""

from __future__ import annotations

from hashlib import sha256

from dirigent.model.problem import Refusal
from dirigent.model.run.effect import Done, Order, Outcome
from dirigent.model.values import Value
from dirigent.tasks.http.call import members_of, unrevealed
from dirigent.tasks.http.client import Client
from dirigent.tasks.http.credentials import Credentials
from dirigent.tasks.http.failure import CallFailed
from dirigent.tasks.mcp import session
from dirigent.tasks.mcp.pipe import running
from dirigent.tasks.mcp.request import Wanted, Web, wanted_of, without_secret_arguments
from dirigent.tasks.mcp.web import WebLine
from dirigent.tasks.process import Surroundings
from dirigent.tasks.rpc.credentials import revealed, without_credentials
from dirigent.tasks.rpc.message import written
from dirigent.tasks.rpc.outcome import failed, undecided
from dirigent.tasks.rpc.post import Route
from dirigent.tasks.secrets import named


class McpPerformer:
    """Carries out the function `mcp`."""

    def __init__(self, client: Client, credentials: Credentials, around: Surroundings) -> None:
        """Take the guarded client, the credentials that calls share, and what processes may see."""
        self._client = client
        self._credentials = credentials
        self._vault = credentials.vault
        self._around = around

    async def perform(self, order: Order) -> Outcome:
        """Do the call, or say why its outcome is in doubt."""
        place, unsafe = "", True
        try:
            without_secret_arguments(order.request)
            shown = wanted_of(named(without_credentials(members_of(order.request))))
            place, unsafe = f"{shown.method} of `{shown.place}`", shown.unsafe
            doubt = undecided(order, place, _evidence(shown)) if unsafe else None
            if doubt is not None:
                return doubt
            wanted = wanted_of(await revealed(self._credentials, order))
            return Done(self._vault.redact(await self._called(order, wanted, shown.place)))
        except CallFailed as failure:
            return failed(self._vault, order, failure, place, unsafe=unsafe)
        except Refusal as refusal:
            return failed(self._vault, order, unrevealed(refusal), place, unsafe=unsafe)

    async def abandon(self, order: Order) -> None:
        """Nothing to stop: process and connection fell with the task, and a server cannot be told."""

    async def _called(self, order: Order, wanted: Wanted, place: str) -> Value:
        if not isinstance(wanted.transport, Web):
            async with running(wanted.transport, self._around, self._vault, place) as pipe:
                return await session.held(pipe, wanted, order.id)
        route = Route(self._client, self._vault, order.hosts, wanted.seconds)
        line = WebLine(route, wanted.transport, order.id)
        try:
            result = await session.held(line, wanted, order.id)
        except CallFailed:
            await line.part()
            raise
        await line.part()
        return result


def _evidence(shown: Wanted) -> dict[str, Value]:
    """Return what a person can look for at the server; secrets are in the digest as their names."""
    return {
        "method": shown.method,
        "server": shown.place,
        "tool": shown.params.get("name"),
        "parameters_sha256": sha256(written(shown.params)).hexdigest(),
    }
