"""Sensitive values at rest: sealed under a key that lies outside of the database.

A seal is the reference of a secret, `sealed:TOKEN`, and goes through plans, facts and expressions as any
other reference does. The same value gives the same token, so that two states can be compared without
opening them: AES-SIV (RFC 5297), deterministic and authenticated.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from dirigent.model.problem import Refusal, refuse
from dirigent.model.values import SEALED, SecretRef, SecretText, Unknown, Value

KEY_BYTES: Final = 64
_TEXT: Final = b"t"
_JSON: Final = b"j"


class Seal:
    """Closes and opens values. The key is made when the first value is sealed."""

    def __init__(self, path: str) -> None:
        """Keep where the key lies, a file of mode 0600."""
        self._path = Path(path)
        self._cipher: AESSIV | None = None

    def close(self, value: Value) -> SecretText:
        """Return the reference that stands for a value without secrets and without `Unknown`."""
        text = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else _dumped(value)
        sealed = self._key(make=True).encrypt((_TEXT if isinstance(value, str) else _JSON) + text, None)
        return SecretText((SecretRef(SEALED + base64.urlsafe_b64encode(sealed).decode()),))

    def open(self, token: str) -> Value:
        """Return the value of a token. Raises `Refusal` (E3018)."""
        try:
            content = self._key(make=False).decrypt(base64.urlsafe_b64decode(token), None)
        except (InvalidTag, binascii.Error, ValueError):
            raise self._lost("it was sealed with another key") from None
        text = content[1:].decode("utf-8", "surrogatepass")
        return text if content[:1] == _TEXT else cast("Value", json.loads(text))

    def text(self, token: str) -> str:
        """Return the value of a token as text; what is none is its JSON. Raises `Refusal` (E3018)."""
        value = self.open(token)
        return value if isinstance(value, str) else json.dumps(value)

    def _key(self, *, make: bool) -> AESSIV:
        if self._cipher is None:
            if make and not self._path.exists():
                _write_once(self._path, secrets.token_bytes(KEY_BYTES))
            try:
                self._cipher = AESSIV(self._path.read_bytes())
            except (OSError, ValueError):
                raise self._lost("its key cannot be read") from None
        return self._cipher

    def _lost(self, why: str) -> Refusal:
        return refuse(
            "E3018",
            f"a sensitive value of a resource cannot be opened: {why}",
            f"bring `{self._path.name}` of the state folder back from a backup: it is in no database",
        )


def token_of(value: Value) -> str | None:
    """Return the token of a value that is sealed as a whole, else None."""
    if isinstance(value, SecretText) and len(value.parts) == 1:
        part = value.parts[0]
        if isinstance(part, SecretRef) and part.name.startswith(SEALED):
            return part.name.removeprefix(SEALED)
    return None


def token_in(sealed: SecretText) -> str:
    """Return the token of what was just closed."""
    token = token_of(sealed)
    if token is None:
        raise AssertionError("what is sealed has a token")
    return token


def sealed_leaves(value: Value, seal: Seal) -> Value:
    """Return a sensitive value with each of its leaves sealed; what is null or unknown stays so."""
    match value:
        case None | Unknown() | SecretText():
            return value
        case list():
            return [sealed_leaves(each, seal) for each in value]
        case dict():
            return {name: sealed_leaves(each, seal) for name, each in value.items()}
        case _:
            return seal.close(value)


def opened(value: Value, reveal: Callable[[SecretText], Value]) -> Value:
    """Return a value with every secret in it revealed."""
    match value:
        case SecretText():
            return reveal(value)
        case list():
            return [opened(each, reveal) for each in value]
        case dict():
            return {name: opened(each, reveal) for name, each in value.items()}
        case _:
            return value


def _dumped(value: Value) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _write_once(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all; whoever was faster keeps theirs."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(beside, path)
    except FileExistsError:
        pass
    finally:
        beside.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
