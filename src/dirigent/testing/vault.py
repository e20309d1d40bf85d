"""A vault whose secrets are in a dictionary."""

from __future__ import annotations

import json
from collections.abc import Mapping

from dirigent.model.problem import refuse
from dirigent.model.values import SecretRef, SecretText, Value


class FakeVault:
    """Fits `ports.Vault`. Values are at most `limits.VALUE_DEPTH` deep.

    As in the real one, `NAME.MEMBER` is a member of a secret whose text is a JSON object.
    """

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        """Take the values by name."""
        self._secrets = dict(secrets or {})
        self._learned: dict[str, str] = {}

    def reveal(self, value: Value) -> Value:
        """Return the value with every `SecretText` replaced by its text, or raise `Refusal` (E6001)."""
        if isinstance(value, SecretText):
            return "".join(self._text(part) for part in value.parts)
        if isinstance(value, list):
            return [self.reveal(item) for item in value]
        if isinstance(value, dict):
            return {name: self.reveal(item) for name, item in value.items()}
        return value

    def redact(self, value: Value) -> Value:
        """Return the value with every secret in any string, key or item, replaced by `(secret NAME)`."""
        if isinstance(value, str):
            return self._redacted(value)
        if isinstance(value, list):
            return [self.redact(item) for item in value]
        if isinstance(value, dict):
            return {self._redacted(name): self.redact(item) for name, item in value.items()}
        return value

    def learn(self, name: str, text: str) -> None:
        """Redact this too."""
        self._learned[text] = name

    def _text(self, part: str | SecretRef) -> str:
        if isinstance(part, str):
            return part
        if part.name in self._secrets:
            return self._secrets[part.name]
        name, _, member = part.name.partition(".")
        if name not in self._secrets:
            raise refuse("E6001", f"there is no secret `{part.name}`", "declare it under `secrets`")
        return str(json.loads(self._secrets[name])[member])

    def _redacted(self, text: str) -> str:
        # Longest first: a secret that holds another must not be left in pieces.
        known = [*self._secrets.items(), *((name, secret) for secret, name in self._learned.items())]
        for name, secret in sorted(known, key=lambda item: -len(item[1])):
            if secret:
                text = text.replace(secret, f"(secret {name})")
        return text
