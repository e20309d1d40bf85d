"""The performer of `mcp`. The request is described in `docs/protocols.md`.

Rule: after a crash a tool is called again only by the author's policy or a person's word; what only
lists or reads is asked again.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from dirigent.model.problem import Refusal
from dirigent.model.program import OnDoubt
from dirigent.model.run.effect import Broken, Done, Doubt, Order, Outcome
from dirigent.model.values import Value
from dirigent.tasks.http.call import unrevealed, without_credentials
from dirigent.tasks.http.client import Client
from dirigent.tasks.http.credentials import Credentials
from dirigent.tasks.http.failure import CallFailed
from dirigent.tasks.mcp import session
from dirigent.tasks.mcp.pipe import running
from dirigent.tasks.mcp.request import Wanted, Web, wanted_of, without_secret_arguments
from dirigent.tasks.mcp.web import WebLine
from dirigent.tasks.process import Surroundings
from dirigent.tasks.rpc.credentials import revealed
from dirigent.tasks.rpc.message import written
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
        shown: Wanted | None = None
        try:
            without_secret_arguments(order.request)
            shown = wanted_of(named(without_credentials(order.request)))
            if order.doubtful and shown.unsafe and order.on_doubt is not OnDoubt.REPEAT:
                return _undecided(order, shown)
            wanted = wanted_of(await revealed(self._credentials, order))
            return Done(self._vault.redact(await self._called(order, wanted, shown.place)))
        except CallFailed as failure:
            return self._broken(order, failure, shown)
        except Refusal as refusal:
            return self._broken(order, unrevealed(refusal), shown)

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

    def _broken(self, order: Order, failure: CallFailed, shown: Wanted | None) -> Broken:
        """Return a failure as an outcome, with the call in its detail and no secret."""
        detail = failure.fault.detail
        if shown is not None:
            detail = f"{shown.method} of `{shown.place}`: {detail}"
        doubtful = (shown is None or shown.unsafe) and (failure.sent or order.doubtful)
        return Broken(replace(failure.fault, detail=str(self._vault.redact(detail)), doubtful=doubtful))


def _undecided(order: Order, shown: Wanted) -> Outcome:
    """Return the outcome of a tool that may have been called, by the author's policy."""
    if order.on_doubt is OnDoubt.SKIP:
        return Done(None)
    evidence: dict[str, Value] = {
        "method": shown.method,
        "server": shown.place,
        "tool": shown.params.get("name"),
        "key": order.id,
        "parameters_sha256": sha256(written(shown.params)).hexdigest(),
        "attempt": order.attempt,
    }
    words = f"the engine stopped while `{shown.place}` was being asked to use a tool, and it may have done so"
    return Doubt(words, evidence)
