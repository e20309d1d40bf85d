"""Who we are to the registry of an image, as the user's own configuration for Docker or Podman says.

Rule: a password is looked up when an image is fetched, and stands in one header of one request.
"""

from __future__ import annotations

import asyncio
import binascii
import json
import re
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dirigent.model.problem import Refusal, refuse
from dirigent.model.values import Value
from dirigent.tasks.secrets import Learning

# How Docker's own registry is called in images, and in the files that `docker login` writes.
DOCKER: Final = "docker.io"
DOCKER_WRITTEN: Final = "https://index.docker.io/v1/"
DOCKER_NAMES: Final = frozenset({DOCKER, "index.docker.io", "registry-1.docker.io"})
# What a helper gives as the name of the user when its secret is a token for tokens.
NAMELESS: Final = "<token>"
HELPER_SECONDS: Final = 60.0
FILE_BYTES: Final = 1024 * 1024
LEARNT: Final = "registry password"

_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NOT_FOUND = re.compile(rb"credentials not found|not logged in", re.IGNORECASE)


def registry_of(name: str) -> str:
    """Return the registry of an image's name: its first part, where that is a host; else Docker's own."""
    first, slash, _ = name.partition("/")
    host = slash and (first == "localhost" or "." in first or ":" in first)
    return DOCKER if not host or first in DOCKER_NAMES else first


@dataclass(frozen=True, slots=True)
class Registries:
    """Looks up what a user logged in with. `environ` is the environment of the engine."""

    environ: Mapping[str, str]
    vault: Learning

    async def header(self, name: str) -> str:
        """Return the header by which a runtime fetches an image, empty for nobody.

        Raises `Refusal`: E4185 for a file that cannot be read, E4186 for a helper that does not answer.
        """
        registry = registry_of(name)
        for path in self._files():
            found = await asyncio.to_thread(_written, path)
            credential = await self._credential(found, registry)
            if credential is not None:
                self._learn(credential)
                text = json.dumps({**credential, "serveraddress": _server(registry)})
                return urlsafe_b64encode(text.encode()).decode()
        return ""

    def _files(self) -> Sequence[Path]:
        """Return the files that may know: those that a variable names, then those of Docker and of Podman."""
        named = self.environ.get("REGISTRY_AUTH_FILE", "")
        home, own = self.environ.get("HOME", ""), self.environ.get("XDG_RUNTIME_DIR", "")
        folder = self.environ.get("DOCKER_CONFIG") or (f"{home}/.docker" if home else "")
        usual = [f"{folder}/config.json"] if folder else []
        usual += [f"{own}/containers/auth.json"] if own else []
        return [Path(text) for text in (named, *usual) if text]

    async def _credential(self, found: dict[str, Value], registry: str) -> dict[str, str] | None:
        helpers, entries = found.get("credHelpers"), found.get("auths")
        own = _entry(helpers, registry)
        helper = own if isinstance(own, str) and own else found.get("credsStore")
        if isinstance(helper, str) and helper:
            return await self._helped(helper, registry)
        entry = _entry(entries, registry)
        return _kept(entry) if isinstance(entry, dict) else None

    async def _helped(self, helper: str, registry: str) -> dict[str, str] | None:
        """Ask a helper of `docker login`, as its protocol says: the server in, an object out."""
        program = f"docker-credential-{helper}"
        if not _HELPER.fullmatch(helper):
            raise _unhelped(program, registry, "that is no name of a program")
        try:
            process = await asyncio.create_subprocess_exec(
                program,
                "get",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=dict(self.environ),
            )
        except OSError as error:
            raise _unhelped(program, registry, error.strerror or type(error).__name__) from None
        try:
            async with asyncio.timeout(HELPER_SECONDS):
                out, _ = await process.communicate(_server(registry).encode())
        except TimeoutError:
            raise _unhelped(program, registry, f"no answer within {HELPER_SECONDS:g} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            if _NOT_FOUND.search(out):
                return None
            raise _unhelped(program, registry, f"it ended with exit code {process.returncode}")
        return self._said(out, program, registry)

    def _said(self, out: bytes, program: str, registry: str) -> dict[str, str]:
        try:
            said = json.loads(out)
        except ValueError:
            said = None
        user, secret = (said.get("Username"), said.get("Secret")) if isinstance(said, dict) else (None, None)
        if not isinstance(user, str) or not isinstance(secret, str):
            raise _unhelped(program, registry, "its answer is not a name and a secret in JSON")
        return {"identitytoken": secret} if user == NAMELESS else {"username": user, "password": secret}

    def _learn(self, credential: Mapping[str, str]) -> None:
        for name in ("password", "identitytoken"):
            if credential.get(name):
                self.vault.learn(LEARNT, credential[name])


def _server(registry: str) -> str:
    return DOCKER_WRITTEN if registry == DOCKER else registry


def _written(path: Path) -> dict[str, Value]:
    """Return what a file says; nothing, when it is not there."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise _unread(path, error.strerror or type(error).__name__) from None
    if len(content) > FILE_BYTES:
        raise _unread(path, f"it has more than {FILE_BYTES} bytes")
    try:
        found: Value = json.loads(content)
    except (ValueError, RecursionError):
        raise _unread(path, "it is not JSON") from None
    if not isinstance(found, dict):
        raise _unread(path, "it holds no object")
    return found


def _entry(table: Value, registry: str) -> Value:
    """Return what a table says of a registry, which may be written as a URL there."""
    for key, value in table.items() if isinstance(table, dict) else ():
        host = key.partition("://")[2] or key
        host = host.partition("/")[0]
        if (DOCKER if host in DOCKER_NAMES else host) == registry:
            return value
    return None


def _kept(entry: dict[str, Value]) -> dict[str, str] | None:
    """Return what an entry of `auths` holds; None for one that holds nothing, or nothing that can be read."""
    token, text = entry.get("identitytoken"), entry.get("auth")
    if isinstance(token, str) and token:
        return {"identitytoken": token}
    try:
        plain = b64decode(text, validate=True).decode() if isinstance(text, str) else ""
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, colon, password = plain.partition(":")
    return {"username": user, "password": password.rstrip("\0")} if colon else None


def _unread(path: Path, why: str) -> Refusal:
    return refuse(
        "E4185",
        f"`{path}`, where the passwords of registries are kept, cannot be used: {why}",
        "mend it, log in again (`docker login`), or name another folder in `DOCKER_CONFIG`",
    )


def _unhelped(program: str, registry: str, why: str) -> Refusal:
    return refuse(
        "E4186",
        f"`{program}` does not give the password of the registry `{registry}`: {why}",
        f"see that `{program}` is on the path of the engine, and what `docker pull` says there; "
        "or take it out of `credHelpers` and `credsStore`",
    )
