"""Whom calls trust and what they show of themselves: authorities and client certificates of the stack.

Files are read again when they change: certificates are renewed under a running engine.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from dirigent.model.problem import refuse
from dirigent.model.stack import Identity, Network
from dirigent.model.values import SecretRef, SecretText
from dirigent.ports import Vault
from dirigent.tasks.http.guard import Target, is_declared
from dirigent.tasks.http.tls.named import Named

Stamp: TypeAlias = tuple[int, ...]


@dataclass(slots=True)
class Trust:
    """Makes the TLS context of a call. Paths start from the folder of the stack."""

    network: Network
    folder: str
    vault: Vault
    _made: dict[str, tuple[Stamp, ssl.SSLContext]] = field(default_factory=dict)

    def context(self, target: Target) -> ssl.SSLContext | bool:
        """Return the context for a target; True is that of the machine. Raises `Refusal` (E4123). Blocks."""
        host, identity = _of(target, self.network.identities)
        if target.url.scheme != "https" or (identity is None and not self.network.authorities):
            return True
        stamp = tuple(_stamp(path, target) for path in self._paths(identity))
        before = self._made.get(host)
        if before is not None and before[0] == stamp:
            return before[1]
        context = ssl.create_default_context()
        self._equip(context, identity, target)
        self._made[host] = (stamp, context)
        return context

    def named(self, target: Target) -> Named:
        """Return a context of its own for one connection. Raises `Refusal` (E4123). Blocks."""
        context = Named(target.host)
        identity = self.identity(target)
        for path in self._paths(identity):
            _stamp(path, target)
        self._equip(context, identity, target)
        return context

    def identity(self, target: Target) -> Identity | None:
        """Return what is shown to a target."""
        return _of(target, self.network.identities)[1]

    def read(self, name: str, target: Target) -> bytes:
        """Return a file of the stack. Raises `Refusal` (E4123). Blocks."""
        path = Path(self.folder, name)
        _stamp(path, target)
        return path.read_bytes()

    def phrase(self, identity: Identity) -> str:
        """Return the pass phrase of a key, empty for a key without one. Raises as the vault does."""
        secret = SecretText((SecretRef(identity.password),))
        return str(self.vault.reveal(secret)) if identity.password else ""

    def _paths(self, identity: Identity | None) -> list[Path]:
        named = (identity.certificate, identity.key) if identity is not None else ()
        return [Path(self.folder, name) for name in (self.network.authorities, *named) if name]

    def _equip(self, context: ssl.SSLContext, identity: Identity | None, target: Target) -> None:
        try:
            if self.network.authorities:
                context.load_verify_locations(str(Path(self.folder, self.network.authorities)))
            if identity is not None:
                phrase = self.phrase(identity)
                context.load_cert_chain(
                    str(Path(self.folder, identity.certificate)),
                    str(Path(self.folder, identity.key or identity.certificate)),
                    # Without one a key with a pass phrase would ask for it at the terminal.
                    lambda: phrase,
                )
        except (OSError, ValueError) as error:
            reason = error.reason if isinstance(error, ssl.SSLError) else str(error)
            raise refuse(
                "E4123",
                f"the certificates for `{target.place}` cannot be used: {reason or 'not in PEM form'}",
                "look at `policy.http.certificates` and `policy.http.authorities` of the stack: certificate "
                "and key must be PEM files that belong together, `password` the secret of an encrypted key",
            ) from None


def named(trust: Trust | None, target: Target) -> Named:
    """Return a context of its own for one connection, whether a stack says anything or not. Blocks."""
    return Named(target.host) if trust is None else trust.named(target)


def wants_tls(trust: Trust | None, host: str, port: int) -> bool:
    """Return whether the stack says of a server that it is spoken to over TLS."""
    return trust is not None and is_declared(host, port, trust.network.tls)


def shown(trust: Trust | None, target: Target) -> bool:
    """Return whether we have a certificate for a target."""
    return trust is not None and trust.identity(target) is not None


def _of(target: Target, identities: Mapping[str, Identity]) -> tuple[str, Identity | None]:
    """Return the entry for a target: the one with the port before the one without."""
    for name in sorted(identities, key=len, reverse=True):
        if is_declared(target.host, target.port, (name,)):
            return name, identities[name]
    return "", None


def _stamp(path: Path, target: Target) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError as error:
        raise refuse(
            "E4123",
            f"the certificates for `{target.place}` cannot be used: `{path.name}` cannot be read "
            f"({error.strerror})",
            "paths under `policy.http` start from the folder of the stack",
        ) from None
