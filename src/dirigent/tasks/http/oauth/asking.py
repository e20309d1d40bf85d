"""The request for a token and the answer to it. Pure: the same policy and moment, the same bytes."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import field
from typing import Final, TypeAlias
from urllib.parse import quote_plus, urlencode

from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.http.answer import excerpt, json_of, phrase
from dirigent.tasks.http.client import Incoming, Outgoing
from dirigent.tasks.http.failure import CallFailed, unauthenticated
from dirigent.tasks.http.oauth.assertion import TYPE, Moment, assertion
from dirigent.tasks.http.oauth.policy import CODE, EXCHANGE, JSON, OWNER, REFRESH, OAuth

OK: Final = 200
REFUSED: Final = frozenset({400, 401, 403})
# A token is given up before its end: so much before, but never more than this share of its life.
MARGIN_SECONDS: Final = 60.0
MARGIN_SHARE: Final = 0.2

Pairs: TypeAlias = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Token:
    """What an authority gave. `life_seconds` is None where it does not say how long it holds."""

    access: str = field(repr=False)
    life_seconds: float | None = None
    refresh: str = field(default="", repr=False)
    id_token: str = field(default="", repr=False)


def grant_of(policy: OAuth, verifier: str) -> Pairs:
    """Return the parameters of the first request for a token. `verifier` is that of RFC 7636."""
    pairs: Pairs = [("grant_type", policy.grant)]
    subject, actor = policy.subject, policy.actor
    match policy.grant:
        case grant if grant == OWNER:
            pairs += [("username", policy.username), ("password", policy.password)]
        case grant if grant == REFRESH and subject is not None:
            pairs.append(("refresh_token", subject.token))
        case grant if grant == CODE:
            pairs += [("code", policy.code), ("code_verifier", verifier)]
        case grant if grant == EXCHANGE and subject is not None:
            pairs += [("subject_token", subject.token), ("subject_token_type", subject.type)]
            if actor is not None:
                pairs += [("actor_token", actor.token), ("actor_token_type", actor.type)]
        case _:
            pass
    if policy.scopes and policy.grant != CODE:
        pairs.append(("scope", " ".join(policy.scopes)))
    return pairs + [("audience", audience) for audience in policy.audiences]


def renewal_of(policy: OAuth, refresh: str) -> Pairs:
    """Return the parameters of a request by a refresh token (RFC 6749, section 6)."""
    pairs = [("grant_type", REFRESH), ("refresh_token", refresh)]
    return [*pairs, ("scope", " ".join(policy.scopes))] if policy.scopes else pairs


def outgoing_of(policy: OAuth, url: str, pairs: Pairs, moment: Moment) -> Outgoing:
    """Return a request to an endpoint of the authority, in which the client says who it is."""
    client = policy.client
    headers = [("Accept", "application/json")]
    named: Pairs = []
    match client.authentication:
        case "client_secret_basic":
            word = f"{quote_plus(client.id)}:{quote_plus(client.secret)}"
            headers.append(("Authorization", "Basic " + b64encode(word.encode()).decode()))
        case "client_secret_jwt" | "private_key_jwt":
            named = [("client_id", client.id), ("client_assertion_type", TYPE)]
            named.append(("client_assertion", assertion(policy, url, moment)))
        case "none":
            named = [("client_id", client.id)]
        case _:
            named = [("client_id", client.id), ("client_secret", client.secret)]
    pairs = [*pairs, *((name, text) for name, text in named if text)]
    headers.append(("Content-Type", policy.encoding))
    body = _json(pairs) if policy.encoding == JSON else urlencode(pairs).encode()
    return Outgoing("POST", url, tuple(headers), body)


def token_of(incoming: Incoming, place: str) -> Token:
    """Return the token of an answer, or raise `CallFailed`: authentication, or communication.

    `place` names the endpoint. What the authority says of the reason is shown; whatever else it sent is not.
    """
    answer = _object(incoming, place)
    if incoming.status != OK:
        raise _refused(incoming, answer, place)
    access = answer.get("access_token")
    if not isinstance(access, str) or not access or any(not "!" <= c <= "~" for c in access):
        raise unauthenticated(f"`{place}` answered without an `access_token` that can be sent")
    kind = answer.get("token_type")
    if isinstance(kind, str) and kind.lower() not in {"bearer", "n_a"}:
        raise unauthenticated(
            f"`{place}` gave a token of type `{excerpt(kind)}`; only bearer tokens are used"
        )
    return Token(access, _life(answer), _text(answer, "refresh_token"), _text(answer, "id_token"))


def fresh_seconds(token: Token) -> float | None:
    """Return for how long a token is used, or None for a token that is used until it is refused."""
    if token.life_seconds is None:
        return None
    return token.life_seconds - min(MARGIN_SECONDS, token.life_seconds * MARGIN_SHARE)


def objection(issuers: Sequence[str], said: Value) -> str:
    """Return why an issuer is not one of those that a policy allows, or nothing."""
    if not isinstance(said, str):
        return "the token does not say who issued it, and the policy names `issuers`"
    if said.rstrip("/") in {issuer.rstrip("/") for issuer in issuers}:
        return ""
    return f"the token was issued by `{excerpt(said)}`, which is not one of the `issuers` of the policy"


def _object(incoming: Incoming, place: str) -> dict[str, Value]:
    try:
        found = json_of(incoming.body)
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    if incoming.status == OK:
        raise unauthenticated(f"`{place}` answered with something that is not a JSON object")
    return {}


def _refused(incoming: Incoming, answer: dict[str, Value], place: str) -> CallFailed:
    words = [excerpt(text) for name in ("error", "error_description") if (text := _text(answer, name))]
    reason = f"`{place}` answered {phrase(incoming.status)}" + (f": {', '.join(words)}" if words else "")
    if incoming.status in REFUSED:
        return unauthenticated(f"no token was given: {reason}")
    fault = Fault(COMMUNICATION, incoming.status, phrase(incoming.status), f"no token was given: {reason}")
    return CallFailed(fault)


def _life(answer: dict[str, Value]) -> float | None:
    """Return `expires_in` in seconds; some servers write it as a text."""
    found = answer.get("expires_in")
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        seconds = float(found)
    except ValueError:
        return None
    return seconds if 0 < seconds < float("inf") else None


def _text(answer: dict[str, Value], name: str) -> str:
    found = answer.get(name)
    return found if isinstance(found, str) else ""


def _json(pairs: Pairs) -> bytes:
    """Return pairs as a JSON object: a name that comes several times gives a list."""
    members: dict[str, Value] = {}
    for name, text in pairs:
        before = members.get(name)
        if before is None:
            members[name] = text
        else:
            members[name] = [*before, text] if isinstance(before, list) else [before, text]
    return json.dumps(members).encode()
