"""Shapes of authentications that ask an authority for a token: OAuth 2 and OpenID Connect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dirigent.lang.shape import ByKey, Field, ListOf, OrExpression, Record, Shape, Text
from dirigent.lang.workflow import words
from dirigent.lang.workflow.shapes.atoms import NAME
from dirigent.lang.workflow.words import Checked

GRANTS: Final = (
    "authorization_code",
    "client_credentials",
    "password",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:token-exchange",
)
METHODS: Final = (
    "client_secret_post",
    "client_secret_basic",
    "client_secret_jwt",
    "private_key_jwt",
    "none",
)
ENCODINGS: Final = ("application/x-www-form-urlencoded", "application/json")

_TEXTS: Final = OrExpression(ListOf(Text()))
_TOKEN: Final = Record(
    {"token": Field(Text(), required=True), "type": Field(Text(), required=True)}, title="a security token"
)
_CLIENT: Final = Record(
    {
        "id": Field(Text()),
        "secret": Field(Text()),
        "assertion": Field(Text()),
        "authentication": Field(Text(choices=METHODS)),
    },
    title="a client",
)
_AUTHORITY: Final = Checked(
    "E1310", "a URI as text", words.web_complaint, computed=True, help="begin it with `https://`"
)
_COMMON: Final[Mapping[str, Field]] = {
    "authority": Field(_AUTHORITY, required=True),
    "client": Field(_CLIENT),
    "request": Field(Record({"encoding": Field(Text(choices=ENCODINGS))}, title="`request`")),
    "issuers": Field(_TEXTS),
    "scopes": Field(_TEXTS),
    "audiences": Field(_TEXTS),
    "username": Field(Text()),
    "password": Field(Text()),
    "subject": Field(_TOKEN),
    "actor": Field(_TOKEN),
}
_ENDPOINTS: Final = Record(
    {name: Field(NAME) for name in ("token", "revocation", "introspection")}, title="`endpoints`"
)


def _policy(title: str, fields: Mapping[str, Field]) -> Shape:
    inline = Record(fields, title=title)
    secret = Record({"use": Field(NAME, required=True)}, title=title)
    return ByKey({"use": secret, **dict.fromkeys(fields, inline)}, title=title, what="a mapping")


OAUTH2: Final = _policy(
    "OAuth 2 authentication",
    {**_COMMON, "grant": Field(Text(choices=GRANTS), required=True), "endpoints": Field(_ENDPOINTS)},
)
# The authority describes its endpoints itself, so they are not written.
OIDC: Final = _policy("OpenID Connect authentication", {**_COMMON, "grant": Field(Text(choices=GRANTS))})
