"""From the authentication of a recorded request to one that can be sent: tokens are got here, and got anew.

`$authorization.parameter` of the document stands in a request as a reference until it is revealed here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dirigent.model.record import dataclass
from dirigent.model.run.effect import Order
from dirigent.model.values import AUTHORIZATION, SecretRef, SecretText, Value
from dirigent.tasks.http.authentication import authentication_of, header_of
from dirigent.tasks.http.failure import malformed
from dirigent.tasks.http.oauth.policy import CODE, OAuth, policy_of
from dirigent.tasks.http.oauth.tokens import Tokens
from dirigent.tasks.secrets import Learning, rewritten

SCHEMES: Final = ("oauth2", "oidc")


@dataclass(frozen=True, slots=True)
class Settled:
    """An authentication that can be sent: `value` is basic, bearer, digest or None.

    `policy` is what a token came from, where it is one.
    """

    value: Value
    policy: OAuth | None = None
    token: str = ""

    @property
    def renewable(self) -> bool:
        """Return whether a server that refuses it may be asked once more, with another token."""
        return self.policy is not None


class Credentials:
    """Settles the authentications of requests. Every engine has one for all its calls."""

    def __init__(self, vault: Learning, tokens: Tokens) -> None:
        """Take the vault, and what gives out tokens."""
        self._vault = vault
        self._tokens = tokens

    @property
    def vault(self) -> Learning:
        """Return the vault that knows every token which was given out."""
        return self._vault

    async def settled(self, order: Order, recorded: Value) -> Settled:
        """Return what can be sent for a recorded authentication. Raises `CallFailed` or `Refusal`."""
        value = self._vault.reveal(recorded)
        if not isinstance(value, dict) or value.get("scheme") not in SCHEMES:
            return Settled(value)
        policy = self.policy(order, value)
        return _bearer(policy, await self._tokens.token(policy, order.hosts))

    async def renewed(self, order: Order, refused: Settled) -> Settled:
        """Return another token in place of one that a server refused. Raises `CallFailed` or `Refusal`."""
        if refused.policy is None:
            return refused
        return _bearer(refused.policy, await self._tokens.renewed(refused.policy, refused.token, order.hosts))

    def policy(self, order: Order, value: dict[str, Value]) -> OAuth:
        """Return the policy of a revealed authentication, with the code that a person brought for it."""
        policy = policy_of(str(value.get("scheme")), value)
        if policy.grant != CODE:
            return policy
        policy = replace(policy, run=order.run)
        return (
            replace(policy, code=self._tokens.verifiers.code(policy, policy.code)) if policy.code else policy
        )

    async def question(self, order: Order, recorded: Value) -> str | None:
        """Return the address where a person lets the client in, or None while a token needs no person."""
        value = self._vault.reveal(recorded)
        policy = self.policy(order, value if isinstance(value, dict) else {})
        if self._tokens.known(policy, order.hosts):
            return None
        return await self._tokens.address(policy, order.hosts)

    def reveal(self, request: Value, settled: Settled) -> Value:
        """Return a request with its secrets, what the header carries among them. Raises as the vault does."""
        parameter = self._parameter(settled, request)
        return self._vault.reveal(rewritten(request, lambda leaf: _bound(leaf, parameter)))

    def _parameter(self, settled: Settled, request: Value) -> str:
        """Return what stands behind the name of the scheme, where the request wants it; else nothing."""
        wanted = False

        def look(leaf: Value) -> Value:
            nonlocal wanted
            wanted = wanted or (isinstance(leaf, SecretText) and SecretRef(AUTHORIZATION) in leaf.parts)
            return leaf

        rewritten(request, look)
        if not wanted:
            return ""
        header = header_of(authentication_of(settled.value))
        if header is None:
            raise malformed(
                "`$authorization.parameter` is not known before a call without a token or password"
            )
        parameter = header.partition(" ")[2]
        self._vault.learn(AUTHORIZATION, parameter)
        return parameter


def _bearer(policy: OAuth, token: str) -> Settled:
    return Settled({"scheme": "bearer", "token": token}, policy, token)


def _bound(leaf: Value, parameter: str) -> Value:
    if not isinstance(leaf, SecretText):
        return leaf
    return SecretText(tuple(parameter if part == SecretRef(AUTHORIZATION) else part for part in leaf.parts))
