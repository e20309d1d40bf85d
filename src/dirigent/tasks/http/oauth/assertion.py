"""A client that signs who it is: JSON Web Tokens for `client_secret_jwt` and `private_key_jwt` (RFC 7523).

A signature by a private key needs the package `cryptography`, an extra.
"""

from __future__ import annotations

import hmac
import importlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Final

from dirigent.model.problem import refuse
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.http.oauth.policy import OAuth

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFE_SECONDS: Final = 300
SIGNER: Final = "dirigent.tasks.http.oauth.signing"
NEEDED: Final = "cryptography"


@dataclass(frozen=True, slots=True)
class Moment:
    """When an assertion is made (seconds since the epoch), and a text that no other one has."""

    now: float
    unique: str


def assertion(policy: OAuth, audience: str, moment: Moment) -> str:
    """Return the JWT by which the client says who it is. Raises `Refusal` (E4121, E4122)."""
    client = policy.client
    if client.assertion:
        return client.assertion
    claims: dict[str, Value] = {
        "iss": client.id,
        "sub": client.id,
        "aud": audience,
        "jti": moment.unique,
        "iat": int(moment.now),
        "exp": int(moment.now) + LIFE_SECONDS,
    }
    if client.authentication == "client_secret_jwt":
        key = client.secret.encode()
        return _jws("HS256", claims, lambda content: hmac.digest(key, content, "sha256"))
    algorithm, sign = _signer(client.secret)
    return _jws(algorithm, claims, sign)


def claims_of(token: str) -> Mapping[str, Value] | None:
    """Return what a JWT says, or None for a token that is none. No signature is looked at.

    The token came from the endpoint of the authority itself (OpenID Connect Core, 3.1.3.7, point 6).
    """
    head, _, rest = token.partition(".")
    content, _, signature = rest.partition(".")
    if not head or not signature or "." in signature:
        return None
    try:
        found: Value = json.loads(urlsafe_b64decode(content + "=" * (-len(content) % 4)))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _signer(key: str) -> tuple[str, Callable[[bytes], bytes]]:
    if find_spec(NEEDED) is None:
        raise refuse(
            "E4121",
            f"`private_key_jwt` needs the package `{NEEDED}`, which is not installed",
            "install it with: pip install 'dirigent[oauth]', or give a signed JWT as `client.assertion`",
        )
    signer: Callable[[str], tuple[str, Callable[[bytes], bytes]]] = importlib.import_module(SIGNER).signer_of
    return signer(key)


def _jws(algorithm: str, claims: Mapping[str, Value], sign: Callable[[bytes], bytes]) -> str:
    """Return the compact form of a signed JWT (RFC 7515, section 3.1)."""
    head = _plain(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    content = head + b"." + _plain(json.dumps(claims, separators=(",", ":")).encode())
    return (content + b"." + _plain(sign(content))).decode()


def _plain(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")
