"""Where the endpoints of an authority are: written, described by itself (OpenID Connect), or by default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dirigent.model.fault import Fault
from dirigent.model.values import Value
from dirigent.tasks.http.answer import excerpt, json_of, phrase
from dirigent.tasks.http.client import Client, Outgoing
from dirigent.tasks.http.failure import CallFailed, misconfigured
from dirigent.tasks.http.oauth.policy import ENDPOINTS, WELL_KNOWN, OAuth, placed

FRESH_SECONDS: Final = 3600.0
DESCRIPTIONS: Final = 64
OK: Final = 200


class Authorities:
    """Knows the descriptions of authorities for an hour each. The clock is monotonic seconds."""

    def __init__(self, client: Client, clock: Callable[[], float]) -> None:
        """Take the guarded client and the clock."""
        self._client = client
        self._clock = clock
        self._known: dict[tuple[str, tuple[str, ...]], tuple[float, dict[str, Value]]] = {}

    async def endpoint(self, policy: OAuth, name: str, hosts: tuple[str, ...]) -> str:
        """Return the address of an endpoint, or raise `CallFailed`."""
        written = policy.written(name)
        if written:
            return written
        if not policy.discovers:
            return placed(policy.authority, ENDPOINTS[name])
        found = (await self._description(policy, hosts)).get(f"{name}_endpoint")
        if not isinstance(found, str) or not found:
            raise misconfigured(f"`{policy.authority}` describes no {name} endpoint")
        return found

    async def _description(self, policy: OAuth, hosts: tuple[str, ...]) -> dict[str, Value]:
        key = (policy.authority, hosts)
        until, known = self._known.get(key, (0.0, {}))
        if not known or self._clock() >= until:
            known = await self._fetched(policy, hosts)
            self._known.pop(key, None)
            self._known[key] = (self._clock() + FRESH_SECONDS, known)
            while len(self._known) > DESCRIPTIONS:
                del self._known[next(iter(self._known))]
        return known

    async def _fetched(self, policy: OAuth, hosts: tuple[str, ...]) -> dict[str, Value]:
        url = placed(policy.authority, WELL_KNOWN)
        try:
            incoming = await self._client.follow(
                Outgoing("GET", url, (("Accept", "application/json"),)), hosts
            )
        except CallFailed as failure:
            fault = failure.fault
            detail = f"the authority was not asked for its endpoints: {fault.detail}"
            raise CallFailed(Fault(fault.type, fault.status, fault.title, detail)) from None
        try:
            found = json_of(incoming.body) if incoming.status == OK else None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise misconfigured(
                f"`{url}` answered {phrase(incoming.status)} without a description of its endpoints; is "
                f"`{policy.authority}` an authority of OpenID Connect?"
            )
        _check_issuer(policy, found)
        return found


def _check_issuer(policy: OAuth, description: dict[str, Value]) -> None:
    """Refuse a description that speaks for another authority (OpenID Connect Discovery, 4.3)."""
    said = description.get("issuer")
    wanted = policy.authority.removesuffix(WELL_KNOWN).rstrip("/")
    if isinstance(said, str) and said.rstrip("/") == wanted:
        return
    raise misconfigured(
        f"the description of `{wanted}` is that of the issuer `{excerpt(str(said))}`; "
        "write that one as `authority`"
    )
