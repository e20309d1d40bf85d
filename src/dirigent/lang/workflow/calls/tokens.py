"""Authentications by tokens: OAuth 2 and OpenID Connect, inline or from a secret that holds all of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dirigent.lang.shape import inner_expression
from dirigent.lang.tree import Node
from dirigent.lang.workflow.calls.hosts import note_host
from dirigent.lang.workflow.expressions import check_secret, template
from dirigent.lang.workflow.reading import Reading, Scope, complain, entries_of, member_of, text_of
from dirigent.model.program import Call, Graph, Sequence, Task
from dirigent.model.program import Filter as Border
from dirigent.model.program import Node as Work
from dirigent.model.values import Expression, Template, UriTemplate

CODE: Final = "authorization_code"
# What a grant lives on, and cannot do without.
NEEDED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "password": ("username", "password"),
        "refresh_token": ("subject",),
        "urn:ietf:params:oauth:grant-type:token-exchange": ("subject",),
        CODE: ("client",),
        "client_credentials": ("client",),
    }
)
# The name of the step that asks a person, and of the variable that holds what the person brought.
ASKING: Final = "authorize"
ANSWERS: Final = "authorized"


def token_policy(reading: Reading, scheme: str, written: Node, scope: Scope) -> Template:
    """Return an authentication by tokens: its members as they are written, or the secret that holds them."""
    secret = member_of(written, "use")
    name = text_of(secret)
    if secret is not None and name is not None:
        check_secret(reading, name, secret.span)
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return {"scheme": scheme, "secret": Expression(f'$secrets["{quoted}"]', secret.span)}
    _check(reading, scheme, written)
    found: dict[str, Template] = {"scheme": scheme}
    for key, member in entries_of(written).items():
        found[key] = template(reading, member.node, scope)
    authority = member_of(written, "authority")
    text = text_of(authority)
    if authority is not None and text is not None and inner_expression(text) is None:
        note_host(reading, text)
        found["authority"] = UriTemplate(text, authority.span) if "{" in text else text
    return found


def asking(call: Call, name: str, scope: Scope) -> Work:
    """Return a call with the step before it that asks a person for a code, where its policy wants one."""
    request = call.request
    policy = request.get("authentication") if isinstance(request, dict) else None
    if not isinstance(request, dict) or not isinstance(policy, dict) or policy.get("grant") != CODE:
        return call
    first = Task(ASKING, scope.at(ASKING).pointer, Call(ASKING, {"authentication": policy}))
    brought: dict[str, Template] = {**policy, "code": Expression(f"${ANSWERS}.{ASKING}")}
    then = Task(name, scope.at(name).pointer, Call(call.function, {**request, "authentication": brought}))
    both = Task(
        "with",
        scope.at("with").pointer,
        Graph((first, then), {ASKING: (), name: (ASKING,)}, ANSWERS),
        output=Border(shape=Expression(f".{name}"), present=True),
    )
    return Sequence((both,))


def _check(reading: Reading, scheme: str, written: Node) -> None:
    """Report what a grant lacks (E1980)."""
    grant = text_of(member_of(written, "grant")) or "client_credentials"
    for name in NEEDED.get(grant, ()):
        if member_of(written, name) is None:
            at = member_of(written, "grant") or written
            complain(
                reading,
                "E1980",
                f"the grant `{grant}` of `{scheme}` needs `{name}`, which is missing",
                at.span,
                f"add `{name}`",
                label=f"lacks `{name}`",
            )
