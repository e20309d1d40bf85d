"""Shapes of authentications: `use.authentications` and the `authentication` of an endpoint.

A new scheme is registered in `CREDENTIALS`; its lowering stands in `workflow.calls.security`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dirigent.lang.shape import ByKey, Field, Record, Shape, Text
from dirigent.lang.workflow.shapes.atoms import NAME, only
from dirigent.lang.workflow.shapes.network.tokens import OAUTH2, OIDC
from dirigent.lang.workflow.words import Elsewhere


def _by_secret(title: str, members: tuple[str, ...]) -> Shape:
    inline = Record({name: Field(Text(), required=True) for name in members}, title=title)
    of_secret = Record({"use": Field(NAME)}, title=title)
    return ByKey({"use": of_secret, **dict.fromkeys(members, inline)}, title=title)


CREDENTIALS: Final[Mapping[str, Shape]] = {
    "basic": _by_secret("basic authentication", ("username", "password")),
    "bearer": _by_secret("bearer authentication", ("token",)),
    "digest": _by_secret("digest authentication", ("username", "password")),
    "oauth2": OAUTH2,
    "oidc": OIDC,
    "certificate": Elsewhere(
        "E1981",
        "a certificate is not written in a workflow: the standard names the scheme and does not define it",
        "declare the client's certificate in the stack: `policy: {http: {certificates: {HOST: ...}}}`",
    ),
}
_SCHEMES: Final = {name: only(name, shape, "an authentication") for name, shape in CREDENTIALS.items()}
POLICY: Final = ByKey(_SCHEMES, title="an authentication", what="a mapping such as `{bearer: {token: ...}}`")
AUTHENTICATION: Final = ByKey(
    {"use": only("use", NAME, "an authentication"), **_SCHEMES},
    title="an authentication",
    what="a mapping such as `{use: NAME}`",
)
