"""The vault: where secret values come from, and how they are taken out of what comes back.

A value is read when it is needed and only then. Every value that was ever revealed is replaced
by its name in whatever leaves a performer, also in the encodings that servers and tools echo.
"""

from __future__ import annotations

import json
import re
import shlex
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote, quote_plus

from dirigent.model import limits
from dirigent.model.problem import Refusal, refuse
from dirigent.model.stack import Secret
from dirigent.model.values import OPENED, SEALED, SecretRef, SecretText, Value
from dirigent.ports import Vault

# Shorter ones would blank out ordinary text; a secret of three characters protects nothing.
REDACTED_CHARACTERS_MIN: Final = 4
# An inner line or a base64 stretch shorter than this could stand in a text by chance.
FRAGMENT_CHARACTERS_MIN: Final = 8
# What stands in the place of a sensitive attribute of a resource.
SEALED_NAME: Final = "of a resource"
# An access token, a refresh token and an identity, and those before them: an answer under way may show them.
LEARNED: Final = 9


def rewritten(value: Value, leaf: Callable[[Value], Value], *, keys: bool = False) -> Value:
    """Return a copy with `leaf` applied to every scalar (and every key if asked), at any depth."""
    root: list[Value] = [value]
    pending: list[list[Value] | dict[str, Value]] = [root]

    def fresh(child: Value) -> Value:
        copy: list[Value] | dict[str, Value]
        if isinstance(child, list):
            copy = list(child)
        elif isinstance(child, dict):
            copy = {str(leaf(key)) if keys else key: inner for key, inner in child.items()}
        else:
            return leaf(child)
        pending.append(copy)
        return copy

    # From the top down: a copy is put in its place first, and filled when its turn comes.
    while pending:
        match pending.pop():
            case list() as items:
                items[:] = [fresh(item) for item in items]
            case members:
                members.update({key: fresh(inner) for key, inner in members.items()})
    return root[0]


def named(value: Value) -> Value:
    """Return the value with every secret as `(secret NAME)`: what may be shown and recorded."""
    return rewritten(value, lambda leaf: str(leaf) if isinstance(leaf, SecretText) else leaf)


class Learning(Vault, Protocol):
    """A vault that can be told of a secret that came to be known by an answer, such as a token."""

    def learn(self, name: str, text: str) -> None:
        """Redact `text` too from now on; of one name the newest few are remembered."""
        ...


class EnvironmentVault:
    """Reveals secrets from environment variables and files.

    A secret that holds a JSON object has members: `NAME.username` is the member `username` of
    the secret `NAME`. Problems: E6001 no value, E6002 no such member.
    """

    def __init__(
        self,
        secrets: Mapping[str, Secret],
        environ: Mapping[str, str],
        folder: str | Path,
        otherwise: Callable[[str], Secret] | None = None,
        unseal: Callable[[str], str] | None = None,
    ) -> None:
        """Take the declared secrets, the environment, and the folder that file names start from.

        `otherwise` says where a secret is that is not declared here: a run may be taken up by a
        process that never saw its document. Without it there is none. `unseal` opens what was sealed: a
        sensitive attribute of a resource.
        """
        self._secrets = secrets
        self._otherwise = otherwise
        self._unseal = unseal
        self._environ = environ
        self._folder = Path(folder)
        self._forms: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self._learned: dict[str, list[str]] = {}

    def declare(self, secrets: Mapping[str, Secret]) -> None:
        """Know these secrets, too; one that was declared elsewhere is from now on what is said here."""
        self._secrets = {**self._secrets, **secrets}

    def reveal(self, value: Value) -> Value:
        """Return the value with every `SecretText` replaced by its text, or raise `Refusal`."""
        return rewritten(value, self._revealed)

    def redact(self, value: Value) -> Value:
        """Return the value with every revealed secret in any string or key replaced by its name."""
        if not self._forms:
            return value
        return rewritten(value, self._redacted, keys=True)

    def learn(self, name: str, text: str) -> None:
        """Redact `text` too; of one name the newest few are remembered, for tokens come and go."""
        known = self._learned.setdefault(name, [])
        if text in known:
            return
        known.append(text)
        for past in known[:-LEARNED]:
            known.remove(past)
            for form in _forms(past):
                if self._forms.get(form) == name:
                    del self._forms[form]
        self._remember(name, text)

    def _revealed(self, leaf: Value) -> Value:
        if not isinstance(leaf, SecretText):
            return leaf
        return "".join(part if isinstance(part, str) else self._text(part) for part in leaf.parts)

    def _redacted(self, leaf: Value) -> Value:
        if not isinstance(leaf, str):
            return leaf
        if self._pattern is None:
            # Longest first, so that a secret inside another one cannot leave the rest of it behind.
            ordered = sorted(self._forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(re.escape(form) for form in ordered))
        return self._pattern.sub(lambda match: f"(secret {self._forms[match.group()]})", leaf)

    def _text(self, reference: SecretRef) -> str:
        if self._unseal is not None and reference.name.startswith(SEALED):
            text = self._unseal(reference.name.removeprefix(SEALED))
            self._remember(SEALED_NAME, text)
            return text
        if reference.name.startswith(OPENED):
            raise refuse(
                "E2027",
                "an ephemeral value is wanted here, which only providers can be given",
                "take it from a secret of the stack: `$secrets.NAME`",
            )
        name, _, member = reference.name.partition(".")
        if reference.name in self._secrets:
            name, member = reference.name, ""
        text = self._read(self._declared(name))
        if member:
            text = _member(name, text, member)
        self._remember(reference.name, text)
        return text

    def _declared(self, name: str) -> Secret:
        if name in self._secrets:
            return self._secrets[name]
        if self._otherwise is not None:
            return self._otherwise(name)
        raise refuse("E6001", f"the secret `{name}` is not declared", "Declare it under `secrets`.")

    def _read(self, secret: Secret) -> str:
        if secret.kind == "env":
            value = self._environ.get(secret.at)
            if value is None:
                raise _absent(secret, "the environment variable is not set", f"Set `{secret.at}`.")
            return value
        if secret.kind == "file":
            return self._file(secret)
        raise _absent(secret, f"`{secret.kind}` is not a place that is known", "Use `env` or `file`.")

    def _file(self, secret: Secret) -> str:
        try:
            with (self._folder / secret.at).open("rb") as file:
                content = file.read(limits.SCALAR_CHARACTERS + 1)
            text = content.decode()
        except OSError as error:
            why = f"the file cannot be read ({error.strerror or type(error).__name__})"
            raise _absent(secret, why, f"Write the secret to `{secret.at}`.") from None
        except UnicodeDecodeError:
            raise _absent(secret, "the file is not UTF-8 text", "Encode the secret, as base64 say.") from None
        if len(content) > limits.SCALAR_CHARACTERS:
            raise _absent(
                secret, f"the file has more than {limits.SCALAR_CHARACTERS} bytes", "Name another file."
            )
        return text.removesuffix("\n").removesuffix("\r")

    def _remember(self, name: str, text: str) -> None:
        for form in _forms(text):
            if len(form) >= REDACTED_CHARACTERS_MIN and form not in self._forms:
                self._forms[form] = name
                self._pattern = None


def _absent(secret: Secret, why: str, remedy: str) -> Refusal:
    return refuse(
        "E6001", f"the secret `{secret.name}` has no value: {why} (`{secret.at}`)", remedy, at=secret.span
    )


def _member(name: str, text: str, member: str) -> str:
    """Return a member of a structured secret. The text itself is never part of the problem."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    for step in member.split("."):
        if not isinstance(found, dict) or step not in found:
            raise refuse(
                "E6002",
                f"the secret `{name}` has no member `{member}`",
                "Give the secret a JSON object with that member as its value.",
            )
        found = found[step]
    return found if isinstance(found, str) else json.dumps(found, separators=(",", ":"))


def _forms(text: str) -> Iterator[str]:
    """Yield the texts in which a secret may come back."""
    if len(text) < REDACTED_CHARACTERS_MIN:
        return
    yield text
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    if "'" in text:
        yield shlex.quote(text)[1:-1]
    raw = text.encode(errors="surrogatepass")
    for quoted in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield quoted
        yield re.sub("%..", lambda match: match.group().lower(), quoted)
    yield raw.hex()
    yield from _base64_forms(raw)
    # A key of many lines comes back line by line in a log.
    lines = text.splitlines()
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= FRAGMENT_CHARACTERS_MIN)
    yield from _leaf_texts(text)


def _base64_forms(raw: bytes) -> Iterator[str]:
    """Yield base64 of the secret alone, and the stretches by which it shows inside longer base64."""
    for encode in (b64encode, urlsafe_b64encode):
        yield encode(raw).decode()
        yield encode(raw).decode().rstrip("=")
        for shift in range(3):
            # Six bits a character: only those that lie wholly inside the secret are always the same.
            first = -(-8 * shift // 6)
            last = 8 * (shift + len(raw)) // 6
            stretch = encode(bytes(shift) + raw).decode()[first:last]
            if len(stretch) >= FRAGMENT_CHARACTERS_MIN:
                yield stretch


def _leaf_texts(text: str) -> Iterator[str]:
    """Yield the strings inside a secret that is a JSON object: a server may echo one of them."""
    if not text.startswith("{"):
        return
    try:
        pending = [json.loads(text)]
    except (ValueError, RecursionError):
        return
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, str):
            yield node
