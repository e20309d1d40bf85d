"""Authentications: by name, written there, or read from a secret."""

from __future__ import annotations

from typing import Final

from dirigent.lang.tree import Leaf, Node
from dirigent.lang.workflow.calls.tokens import token_policy
from dirigent.lang.workflow.expressions import secret_member, template
from dirigent.lang.workflow.reading import Reading, Scope, member_of, named, text_of
from dirigent.model.values import Template

_CREDENTIALS: Final = {
    "basic": ("username", "password"),
    "bearer": ("token",),
    "digest": ("username", "password"),
}


def authentication(reading: Reading, node: Node | None, scope: Scope) -> Template:
    """Return the authentication of an endpoint, by name or written there; None when there is none."""
    use = member_of(node, "use")
    if isinstance(use, Leaf):
        node = named(reading, "authentications", use, reading.uses.authentications)
    return None if node is None else policy(reading, node, scope)


def policy(reading: Reading, node: Node, scope: Scope) -> Template:
    """Return an authentication: its scheme and credentials, those that it lacks as null."""
    for scheme in ("oauth2", "oidc"):
        by_token = member_of(node, scheme)
        if by_token is not None:
            return token_policy(reading, scheme, by_token, scope)
    for scheme, members in _CREDENTIALS.items():
        written = member_of(node, scheme)
        if written is None:
            continue
        secret = member_of(written, "use")
        found: dict[str, Template] = {"scheme": scheme, "username": None, "password": None, "token": None}
        for name in members:
            by_name = text_of(secret)
            found[name] = (
                template(reading, member_of(written, name), scope)
                if by_name is None
                else secret_member(reading, secret, by_name, name)
            )
        return found
    return None
