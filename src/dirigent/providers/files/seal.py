"""What we keep about a content, to know it again: its digest, or a salted one if it is secret.

The salt is the effect that wrote it. The salted digest is slow on purpose: a row may be read by
people who must not be able to try out passwords against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import scrypt, sha256
from hmac import compare_digest

from dirigent.model.values import Value


def digest(content: bytes) -> str:
    """Return the SHA-256 of a content, in hexadecimal."""
    return sha256(content).hexdigest()


def seal(content: bytes, salt: str) -> dict[str, Value]:
    """Return what a row keeps of a secret content."""
    return {"salt": salt, "sealed": _sealed(content, salt)}


def knows(private: Value | Mapping[str, Value], content: bytes) -> bool:
    """Return whether a content is the one that a row's private value was made from."""
    if not isinstance(private, Mapping):
        return False
    salt, sealed = private.get("salt"), private.get("sealed")
    if isinstance(salt, str) and isinstance(sealed, str):
        return compare_digest(sealed, _sealed(content, salt))
    return private.get("sha256") == digest(content)


def _sealed(content: bytes, salt: str) -> str:
    return scrypt(sha256(content).digest(), salt=salt.encode(), n=4096, r=8, p=1, dklen=32).hex()
