"""What a workflow says of OAuth 2 or OpenID Connect, read and checked. Pure.

The members are those of the standard, in the document or in a secret that is a JSON object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Final, TypeAlias

from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.http.failure import malformed

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"
CODE: Final = "authorization_code"
CREDENTIALS: Final = "client_credentials"
OWNER: Final = "password"
REFRESH: Final = "refresh_token"
EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
GRANTS: Final = (CREDENTIALS, OWNER, REFRESH, EXCHANGE, CODE)
METHODS: Final = (
    "client_secret_post",
    "client_secret_basic",
    "client_secret_jwt",
    "private_key_jwt",
    "none",
)
# The standard's defaults, each relative to the authority.
ENDPOINTS: Final = {
    "token": "/oauth2/token",
    "revocation": "/oauth2/revoke",
    "introspection": "/oauth2/introspect",
    "authorization": "/oauth2/authorize",
}
WELL_KNOWN: Final = "/.well-known/openid-configuration"

Members: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Security:
    """A security token that another one is asked for with, and its type (RFC 8693, section 3)."""

    token: str = field(repr=False)
    type: str


@dataclass(frozen=True, slots=True)
class Registration:
    """Who asks: the client as the authority knows it. `assertion` is a JWT that somebody else signed."""

    id: str
    secret: str = field(default="", repr=False)
    assertion: str = field(default="", repr=False)
    authentication: str = METHODS[0]


@dataclass(frozen=True, slots=True)
class OAuth:
    """How to come by a token. `discovers` says that the authority describes its endpoints itself.

    `endpoints` holds those that were written, `code` what a person brought back from the authority.
    """

    authority: str
    grant: str
    client: Registration
    discovers: bool = False
    endpoints: tuple[tuple[str, str], ...] = ()
    encoding: str = FORM
    issuers: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    username: str = ""
    password: str = field(default="", repr=False)
    subject: Security | None = None
    actor: Security | None = None
    code: str = field(default="", repr=False)
    run: str = ""

    def written(self, endpoint: str) -> str:
        """Return the address of an endpoint that was written, or an empty text."""
        found = dict(self.endpoints).get(endpoint, "")
        return placed(self.authority, found) if found else ""


def placed(authority: str, endpoint: str) -> str:
    """Return the address of an endpoint: what is relative goes below the authority."""
    if endpoint.startswith(("http://", "https://")):
        return endpoint
    return authority.removesuffix(WELL_KNOWN).rstrip("/") + "/" + endpoint.lstrip("/")


def policy_of(scheme: str, given: Members) -> OAuth:
    """Return the policy that a revealed request describes, or raise `CallFailed` naming what is wrong.

    With `secret`, that text is a JSON object with the members.
    """
    members = _within(given["secret"], scheme) if given.get("secret") is not None else given
    client = _object(members, "client")
    grant = _choice(members, "grant", GRANTS, "" if scheme == "oauth2" else CREDENTIALS)
    request = _object(members, "request")
    policy = OAuth(
        authority=_needed(_text(members, "authority"), f"`{scheme}.authority`"),
        grant=grant,
        client=Registration(
            id=_text(client, "id"),
            secret=_text(client, "secret"),
            assertion=_text(client, "assertion"),
            authentication=_choice(client, "authentication", METHODS, METHODS[0]),
        ),
        discovers=scheme == "oidc" or _text(members, "authority").endswith(WELL_KNOWN),
        endpoints=tuple(
            (name, _text(_object(members, "endpoints"), name))
            for name in ENDPOINTS
            if _object(members, "endpoints").get(name) is not None
        ),
        encoding=_choice(request, "encoding", (FORM, JSON), FORM),
        issuers=_texts(members, "issuers"),
        scopes=_scopes(scheme, members),
        audiences=_texts(members, "audiences"),
        username=_text(members, "username"),
        password=_text(members, "password"),
        subject=_security(members, "subject"),
        actor=_security(members, "actor"),
        code=_text(given, "code"),
        run=_text(given, "run"),
    )
    _check(policy)
    return policy


def _check(policy: OAuth) -> None:
    """Raise `CallFailed` for what a grant or a way to say who one is cannot do without."""
    if policy.grant == OWNER:
        _needed(policy.username, "`username`, for the grant `password`,")
    if policy.grant == EXCHANGE and policy.subject is None:
        raise malformed("the grant `token-exchange` needs a `subject` with its token and type")
    if policy.grant == REFRESH and policy.subject is None:
        raise malformed("the grant `refresh_token` needs the refresh token as `subject.token`")
    client = policy.client
    anonymous = policy.grant in (OWNER, REFRESH, EXCHANGE) and client.authentication == METHODS[0]
    if not anonymous or client.secret:
        _needed(client.id, "`client.id`")
    if client.authentication in ("client_secret_basic", "client_secret_jwt") and not client.assertion:
        _needed(client.secret, f"`client.secret`, for `{client.authentication}`,")
    if client.authentication == "private_key_jwt" and not client.assertion:
        _needed(client.secret, "`client.assertion`, or a private key in PEM form as `client.secret`,")


def _within(secret: Value, scheme: str) -> Members:
    """Return the members that a secret holds. Its text is never part of what is said."""
    try:
        found: Value = json.loads(secret) if isinstance(secret, str) else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise malformed(f"the secret of the `{scheme}` authentication must be a JSON object with its members")
    return found


def _scopes(scheme: str, members: Members) -> tuple[str, ...]:
    scopes = _texts(members, "scopes")
    return ("openid", *scopes) if scheme == "oidc" and "openid" not in scopes else scopes


def _security(members: Members, name: str) -> Security | None:
    if members.get(name) is None:
        return None
    found = _object(members, name)
    return Security(
        _needed(_text(found, "token"), f"`{name}.token`"), _needed(_text(found, "type"), f"`{name}.type`")
    )


def _object(members: Members, name: str) -> Members:
    found = members.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise malformed(f"`authentication.{name}` must be an object")
    return found


def _texts(members: Members, name: str) -> tuple[str, ...]:
    found = members.get(name)
    items = [] if found is None else found if isinstance(found, list) else [found]
    if not all(isinstance(item, str) and item for item in items):
        raise malformed(f"`authentication.{name}` must be a list of texts")
    return tuple(str(item) for item in items)


def _choice(members: Members, name: str, known: tuple[str, ...], otherwise: str) -> str:
    found = _text(members, name) or otherwise
    if found not in known:
        said = f"is `{found}`" if found else "is missing"
        raise malformed(f"`{name}` of the authentication {said}; it must be one of {', '.join(known)}")
    return found


def _text(members: Members, name: str) -> str:
    found = members.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise malformed(f"`{name}` of the authentication must be a text")
    return found


def _needed(text: str, what: str) -> str:
    if not text:
        raise malformed(f"{what} is missing from the authentication")
    return text
