"""The performer of `http`, and the one exchange that every kind of API call goes through.

Rule 1: secrets are revealed after every decision that can be taken without them, just before sending.
Rule 2: what is shown is made from the names of secrets, never by hiding parts of what was sent.
Rule 3: a repeat after a crash is the same bytes under the same key, or a person decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Final, assert_never

from dirigent.model.fault import AUTHENTICATION, COMMUNICATION, Fault
from dirigent.model.problem import Refusal
from dirigent.model.program import OnDoubt
from dirigent.model.record import dataclass
from dirigent.model.run.effect import Broken, Done, Doubt, Order, Outcome
from dirigent.model.values import Value
from dirigent.tasks.http import answer
from dirigent.tasks.http.client import Client, Incoming, Outgoing
from dirigent.tasks.http.credentials import Credentials, Settled
from dirigent.tasks.http.failure import CallFailed, forbidden, malformed, misconfigured
from dirigent.tasks.http.message import (
    KEY_HEADER,
    Call,
    Output,
    body_of,
    call_of,
    outgoing_of,
    shown_headers,
    shown_url,
)
from dirigent.tasks.http.oauth.tokens import Tokens
from dirigent.tasks.http.probe import Probe, probe_for
from dirigent.tasks.secrets import Learning, named

# A deletion that may have happened, and now finds nothing to delete, has happened.
GONE: Final = frozenset({404, 410})
# A gateway speaks, or a server that sends on elsewhere after a form: the request may have been carried out.
UNCERTAIN: Final = frozenset({301, 302, 303, 502, 504})
UNAUTHENTICATED: Final = 401
ERRORS_FROM: Final = 400
REDIRECTS_FROM: Final = 300


@dataclass(frozen=True, slots=True)
class Intent:
    """A call in its two forms: `shown` names its secrets, `reveal` gives it with their values.

    `authentication` is the recorded one; `reveal` takes what was made of it. `keyed` says that the
    server is known to honour `Idempotency-Key`: by the author, who set the header himself, or by the
    OpenAPI document.
    """

    shown: Call
    authentication: Value
    reveal: Callable[[Settled], Call]
    keyed: bool

    @property
    def unsafe(self) -> bool:
        """Return whether doing it a second time could have a second effect."""
        return not (self.shown.repeatable or self.keyed)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A call with its values, its bytes, and what came back."""

    call: Call
    outgoing: Outgoing
    incoming: Incoming


class Exchange:
    """Sends one call and says how it ended. What it returns holds no revealed secret."""

    def __init__(self, client: Client, vault: Learning, credentials: Credentials | None = None) -> None:
        """Take the guarded client and the vault, and the credentials if several exchanges share them."""
        self._client = client
        self._vault = vault
        self.credentials = credentials or Credentials(vault, Tokens(client, vault))

    async def carry_out(self, order: Order, intent: Intent) -> Outcome:
        """Return the outcome of an order whose call is `intent`; never raises for what servers do."""
        probe = probe_for(order.probes, intent.shown) if intent.unsafe else None
        if probe is not None:
            return await self._probed(order, intent, probe)
        return await self._carried_out(order, intent)

    async def _probed(self, order: Order, intent: Intent, probe: Probe) -> Outcome:
        """Carry out a call that can be asked about: wherever it may have happened, ask first."""
        try:
            shown = probe.marked(intent.shown, order.id)
        except CallFailed as failure:
            return self.broken(order, failure, intent)
        bare = intent.reveal
        intent = replace(intent, shown=shown, reveal=lambda settled: probe.marked(bare(settled), order.id))
        if order.doubtful or order.attempt > 1:
            known = await self._asked(order, intent, probe)
            if isinstance(known, Done):
                return known
            if known is not None and order.doubtful and order.on_doubt is not OnDoubt.REPEAT:
                return self._unanswered(order, shown, known)
            order = replace(order, doubtful=False)
        outcome = await self._carried_out(order, intent)
        if not isinstance(outcome, Broken) or not outcome.fault.doubtful:
            return outcome
        known = await self._asked(order, intent, probe)
        if isinstance(known, Done):
            return known
        return outcome if known else Broken(replace(outcome.fault, doubtful=False))

    def _unanswered(self, order: Order, shown: Call, why: CallFailed) -> Outcome:
        """Return what the policy says of a call that may have happened, and that cannot be asked about."""
        undecided = _undecided(order, shown)
        if not isinstance(undecided, Doubt):
            return undecided
        asked = self._vault.redact(why.fault.detail or why.fault.title)
        return replace(undecided, evidence={**undecided.evidence, "asked": asked})

    async def _asked(self, order: Order, intent: Intent, probe: Probe) -> Done | CallFailed | None:
        """Return what became of a call, None when it was not carried out, or why the server does not say."""
        await asyncio.sleep(probe.settle_seconds)
        try:
            settled = await self.credentials.settled(order, intent.authentication)
            call = intent.reveal(settled)
            asked = await self._once(order, probe.question(call))
            if asked.incoming.status in GONE:
                return None
            if asked.incoming.status >= REDIRECTS_FROM:
                raise self._refused(asked.call, asked.outgoing, asked.incoming)
            found = probe.verdict(answer.content_of(asked.incoming))
        except CallFailed as failure:
            return failure
        except Refusal as refusal:
            return unrevealed(refusal)
        if found is None:
            return None
        sent = _Sent(call, asked.outgoing, answer.incoming_of(found, asked.incoming.url))
        return Done(self._vault.redact(self._output(order, intent.shown, sent)))

    async def _carried_out(self, order: Order, intent: Intent) -> Outcome:
        try:
            if order.doubtful and intent.unsafe and order.on_doubt is not OnDoubt.REPEAT:
                return _undecided(order, intent.shown)
            sent = await self._sent(order, intent)
            return Done(self._vault.redact(self._output(order, intent.shown, sent)))
        except CallFailed as failure:
            return self.broken(order, failure, intent)
        except Refusal as refusal:
            return self.broken(order, unrevealed(refusal), intent)

    async def _sent(self, order: Order, intent: Intent) -> _Sent:
        """Send the call; once more with another token, when the server refuses the first.

        A refusal for want of a token says that nothing was done, so it is no repeat in any sense.
        """
        settled = await self.credentials.settled(order, intent.authentication)
        sent = await self._once(order, intent.reveal(settled))
        if sent.incoming.status != UNAUTHENTICATED or not settled.renewable:
            return sent
        settled = await self.credentials.renewed(order, settled)
        return await self._once(order, intent.reveal(settled))

    async def _once(self, order: Order, call: Call) -> _Sent:
        outgoing = outgoing_of(call, order.id)
        return _Sent(call, outgoing, await self._client.send(outgoing, order.hosts))

    def broken(self, order: Order, failure: CallFailed, intent: Intent | None = None) -> Broken:
        """Return a failure as an outcome: with the call in its detail, and without any secret.

        Without `intent` nobody knows what the order would have sent, so a doubtful one stays so.
        """
        detail = failure.fault.detail
        if intent is not None:
            detail = f"{intent.shown.method} {shown_url(intent.shown)}: {detail}"
        doubtful = (intent is None or intent.unsafe) and (failure.sent or order.doubtful)
        shown = self._vault.redact(detail)
        return Broken(replace(failure.fault, detail=str(shown), doubtful=doubtful))

    def _output(self, order: Order, shown: Call, sent: _Sent) -> Value:
        call, incoming = sent.call, sent.incoming
        gone = order.doubtful and call.method == "DELETE" and incoming.status in GONE
        if incoming.status >= (ERRORS_FROM if call.redirect else REDIRECTS_FROM) and not gone:
            raise self._refused(call, sent.outgoing, incoming)
        if gone and call.output is not Output.RESPONSE:
            return None
        headers = shown_headers(outgoing_of(shown, order.id))
        if call.authentication is not None:
            headers["authorization"] = "(hidden)"
        request: dict[str, Value] = {"method": call.method, "uri": shown_url(shown), "headers": headers}
        return answer.output_of(incoming, call.output, request)

    def _refused(self, call: Call, outgoing: Outgoing, incoming: Incoming) -> CallFailed:
        """Return the fault of an answer that is no success, with the beginning of its body."""
        status = incoming.status
        text = answer.text_of(incoming.body, "")
        for name, value in outgoing.headers:
            if name.lower() == "authorization":
                # A server may echo it without the name of the scheme.
                text = text.replace(value.partition(" ")[2] or value, "(hidden)")
        # Redacted whole, then cut: half a secret at the cut would not be recognised.
        shown = answer.excerpt(str(self._vault.redact(text)))
        detail = f"answered {answer.phrase(status)}" + (f": {shown}" if shown else "")
        if status < ERRORS_FROM:
            place = str(self._vault.redact(incoming.header("location")))
            detail += f"; it points to `{answer.excerpt(place)}`, and redirects are not followed "
            detail += "(`redirect: true` returns the answer itself)"
        # Without credentials it is an answer like any other; with them it says that they are not accepted.
        unauthenticated = status == UNAUTHENTICATED and call.authentication is not None
        kind = AUTHENTICATION if unauthenticated else COMMUNICATION
        fault = Fault(kind, status, answer.phrase(status), detail)
        return CallFailed(fault, sent=status in UNCERTAIN)


class HttpPerformer:
    """Carries out the function `http`. The request is described in `docs/calls.md`."""

    def __init__(self, client: Client, vault: Learning, credentials: Credentials | None = None) -> None:
        """Take the guarded client and the vault, and the credentials that calls share."""
        self._exchange = Exchange(client, vault, credentials)

    async def perform(self, order: Order) -> Outcome:
        """Do the call, or say why its outcome is in doubt."""
        try:
            request = without_credentials(order.request)
            shown = call_of(named(request))
        except CallFailed as failure:
            return self._exchange.broken(order, failure)
        keyed = shown.header(KEY_HEADER) is not None

        def reveal(settled: Settled) -> Call:
            revealed = self._exchange.credentials.reveal(request, settled)
            return call_of({**members_of(revealed), "authentication": settled.value})

        recorded = members_of(order.request).get("authentication")
        intent = Intent(shown, recorded, reveal, keyed)
        return await self._exchange.carry_out(order, intent)

    async def abandon(self, order: Order) -> None:
        """Nothing to stop: the connection fell with the task, and the server cannot be told."""


def without_credentials(request: Value) -> Value:
    """Return a request whose credentials are left out: what is shown never has them."""
    return {**members_of(request), "authentication": None}


def members_of(request: Value) -> dict[str, Value]:
    """Return the members of a recorded request, or raise `CallFailed`."""
    if not isinstance(request, dict):
        raise malformed("the request must be an object")
    return request


def unrevealed(refusal: Refusal) -> CallFailed:
    """Return the failure of a call whose secrets have no value, in the words that the engine uses too."""
    problem = refusal.problems[0]
    words = " ".join([f"{problem.code}: {problem.message}.", *problem.help])
    return forbidden(words) if problem.code.startswith("E6") else misconfigured(words)


def _undecided(order: Order, shown: Call) -> Outcome:
    """Return the outcome of an unsafe call that may have happened, by the author's policy."""
    match order.on_doubt:
        case OnDoubt.SKIP:
            return Done(None)
        case OnDoubt.HOLD | OnDoubt.REPEAT:
            return Doubt(
                f"the engine stopped while `{shown.method} {shown_url(shown)}` was under way: the server may "
                "have carried it out, and it is not known to honour an `Idempotency-Key`",
                _evidence(order, shown),
            )
        case _:
            assert_never(order.on_doubt)


def _evidence(order: Order, shown: Call) -> dict[str, Value]:
    """Return what a person can look for at the server; secrets are in the digest as their names."""
    content_type = shown.header("content-type") or "application/json"
    body = body_of(shown.body, content_type) if shown.has_body else b""
    return {
        "method": shown.method,
        "url": shown_url(shown),
        "key": order.id,
        "body_sha256": sha256(body).hexdigest(),
        "attempt": order.attempt,
    }
