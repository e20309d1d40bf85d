"""Tokens: got once however many ask, kept in memory, renewed before their end, given up when refused.

Rule 1: every request to an authority goes through the guarded client, under the hosts of the run that asks.
Rule 2: a token is taught to the vault before anybody gets it, so nothing that leaves a call can show it.
"""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field, replace
from typing import Final, TypeAlias

from dirigent.model.fault import AUTHENTICATION, Fault
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.http.answer import json_of
from dirigent.tasks.http.client import Client, Incoming, Outgoing
from dirigent.tasks.http.failure import CallFailed, unauthenticated
from dirigent.tasks.http.oauth.asking import (
    OK,
    Token,
    fresh_seconds,
    grant_of,
    objection,
    outgoing_of,
    renewal_of,
    token_of,
)
from dirigent.tasks.http.oauth.assertion import Moment, claims_of
from dirigent.tasks.http.oauth.discovery import Authorities
from dirigent.tasks.http.oauth.pasted import Verifiers
from dirigent.tasks.http.oauth.policy import CODE, OAuth
from dirigent.tasks.secrets import Learning

TOKENS: Final = 256

Hosts: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clocks:
    """`steady` for how long something holds, `wall` for what others read, `unique` for names."""

    steady: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    unique: Callable[[], str] = lambda: uuid.uuid4().hex

    def moment(self) -> Moment:
        """Return now, and a text that comes once."""
        return Moment(self.wall(), self.unique())


@dataclass(slots=True)
class _Kept:
    """What is known under one policy; the lock lets one asker fetch and the others wait for it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    token: Token | None = None
    until: float = -math.inf
    spent: str = ""


class Tokens:
    """Gives out tokens by policy. What one run got under its hosts is never given to one that has others."""

    def __init__(
        self,
        client: Client,
        vault: Learning,
        verifiers: Verifiers | None = None,
        clocks: Clocks | None = None,
    ) -> None:
        """Take the guarded client, and the vault that learns the tokens."""
        self._client = client
        self._vault = vault
        self._clocks = clocks or Clocks()
        self.verifiers = verifiers or Verifiers()
        self._authorities = Authorities(client, self._clocks.steady)
        self._kept: dict[tuple[OAuth, Hosts], _Kept] = {}

    async def token(self, policy: OAuth, hosts: Hosts = ()) -> str:
        """Return a token that holds for a while yet, or raise `CallFailed` or `Refusal`."""
        kept = self._at(policy, hosts)
        async with kept.lock:
            if kept.token is None or self._clocks.steady() >= kept.until:
                kept.token = await self._obtained(kept, policy, hosts)
            return kept.token.access

    async def renewed(self, policy: OAuth, refused: str, hosts: Hosts = ()) -> str:
        """Return another token than the one that a server refused, or raise `CallFailed` or `Refusal`."""
        kept = self._at(policy, hosts)
        async with kept.lock:
            if kept.token is None or kept.token.access == refused:
                kept.until = -math.inf
                await self._revoked(policy, refused, hosts)
                kept.token = await self._obtained(kept, policy, hosts)
            return kept.token.access

    def known(self, policy: OAuth, hosts: Hosts = ()) -> bool:
        """Return whether a call would get a token without asking a person."""
        kept = self._at(policy, hosts)
        found = kept.token
        return found is not None and (bool(found.refresh) or self._clocks.steady() < kept.until)

    async def address(self, policy: OAuth, hosts: Hosts = ()) -> str:
        """Return the address where a person lets the client in (RFC 6749, 4.1.1), or raise `CallFailed`."""
        endpoint = await self._authorities.endpoint(policy, "authorization", hosts)
        return self.verifiers.address(policy, endpoint)

    def _at(self, policy: OAuth, hosts: Hosts) -> _Kept:
        key = (replace(policy, code="", run=""), hosts)
        kept = self._kept.pop(key, None) or _Kept()
        self._kept[key] = kept  # The one that was used last stands last.
        while len(self._kept) > TOKENS:
            del self._kept[next(iter(self._kept))]
        return kept

    async def _obtained(self, kept: _Kept, policy: OAuth, hosts: Hosts) -> Token:
        """Ask with the refresh token if there is one, else as the grant says; keep what came."""
        token = await self._refreshed(kept, policy, hosts)
        if token is None:
            verifier = self._code(kept, policy)
            endpoint = await self._authorities.endpoint(policy, "token", hosts)
            token = await self._asked(policy, endpoint, grant_of(policy, verifier), hosts)
        seconds = fresh_seconds(token)
        kept.until = math.inf if seconds is None else self._clocks.steady() + seconds
        return token

    def _code(self, kept: _Kept, policy: OAuth) -> str:
        """Return the verifier of a code, which is good for one request."""
        if policy.grant != CODE:
            return ""
        if not policy.code or policy.code == kept.spent:
            raise unauthenticated(
                "there is no token any more, and the code that a person brought has been used; "
                "run the task again, and it asks for another one"
            )
        kept.spent = policy.code
        return self.verifiers.verifier(policy)

    async def _refreshed(self, kept: _Kept, policy: OAuth, hosts: Hosts) -> Token | None:
        before = kept.token.refresh if kept.token is not None else ""
        if not before:
            return None
        endpoint = await self._authorities.endpoint(policy, "token", hosts)
        try:
            token = await self._asked(policy, endpoint, renewal_of(policy, before), hosts)
        except CallFailed as failure:
            if failure.fault.type != AUTHENTICATION:
                raise
            kept.token = None  # It has run out, or somebody took it back: as at first, then.
            return None
        return token if token.refresh else replace(token, refresh=before)

    async def _asked(self, policy: OAuth, endpoint: str, pairs: list[tuple[str, str]], hosts: Hosts) -> Token:
        outgoing = outgoing_of(policy, endpoint, pairs, self._clocks.moment())
        token = token_of(await self._sent(outgoing, hosts), endpoint)
        name = f"token of {policy.authority}"
        for text in (token.access, token.refresh, token.id_token):
            if text:
                self._vault.learn(name, text)
        await self._check_issuer(policy, token, hosts)
        return token

    async def _check_issuer(self, policy: OAuth, token: Token, hosts: Hosts) -> None:
        """Refuse a token that nobody issued whom the policy names; one that says nothing is asked about."""
        if not policy.issuers:
            return
        claims = claims_of(token.access) or claims_of(token.id_token)
        if claims is None:
            claims = await self._introspected(policy, token.access, hosts)
        why = objection(policy.issuers, claims.get("iss"))
        if why:
            raise unauthenticated(why)

    async def _introspected(self, policy: OAuth, token: str, hosts: Hosts) -> dict[str, Value]:
        """Return what the authority says of a token (RFC 7662)."""
        endpoint = await self._authorities.endpoint(policy, "introspection", hosts)
        outgoing = outgoing_of(policy, endpoint, [("token", token)], self._clocks.moment())
        incoming = await self._sent(outgoing, hosts)
        try:
            found = json_of(incoming.body) if incoming.status == OK else None
        except ValueError:
            found = None
        return found if isinstance(found, dict) else {}

    async def _revoked(self, policy: OAuth, token: str, hosts: Hosts) -> None:
        """Tell the authority that a refused token is not used any more (RFC 7009), if it is said where."""
        endpoint = policy.written("revocation")
        if not endpoint:
            return
        outgoing = outgoing_of(policy, endpoint, [("token", token)], self._clocks.moment())
        with suppress(CallFailed):  # It is no good any more, whoever knows.
            await self._client.send(outgoing, hosts)

    async def _sent(self, outgoing: Outgoing, hosts: Hosts) -> Incoming:
        """Return the answer of the authority. Where there is none, the call itself was not begun."""
        try:
            return await self._client.send(outgoing, hosts)
        except CallFailed as failure:
            fault = failure.fault
            detail = f"no token was given: {fault.detail}"
            raise CallFailed(Fault(fault.type, fault.status, fault.title, detail)) from None
