"""Whom the client trusts and what it shows of itself: authorities and client certificates of the stack.

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
        named = (identity.certificate, identity.key) if identity is not None else ()
        paths = [Path(self.folder, name) for name in (self.network.authorities, *named) if name]
        stamp = tuple(_stamp(path, target) for path in paths)
        before = self._made.get(host)
        if before is not None and before[0] == stamp:
            return before[1]
        context = self._loaded(identity, target)
        self._made[host] = (stamp, context)
        return context

    def _loaded(self, identity: Identity | None, target: Target) -> ssl.SSLContext:
        context = ssl.create_default_context()
        try:
            if self.network.authorities:
                context.load_verify_locations(str(Path(self.folder, self.network.authorities)))
            if identity is not None:
                secret = SecretText((SecretRef(identity.password),))
                password = str(self.vault.reveal(secret)) if identity.password else ""
                context.load_cert_chain(
                    str(Path(self.folder, identity.certificate)),
                    str(Path(self.folder, identity.key or identity.certificate)),
                    # Without one a key with a pass phrase would ask for it at the terminal.
                    lambda: password,
                )
        except (OSError, ValueError) as error:
            reason = error.reason if isinstance(error, ssl.SSLError) else str(error)
            raise refuse(
                "E4123",
                f"the certificates for `{target.place}` cannot be used: {reason or 'not in PEM form'}",
                "look at `policy.http.certificates` and `policy.http.authorities` of the stack: certificate "
                "and key must be PEM files that belong together, `password` the secret of an encrypted key",
            ) from None
        return context


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
