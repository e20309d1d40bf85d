"""Certificates as texts, for clients that bring a TLS of their own (gRPC) and know no context of ours."""

from __future__ import annotations

import importlib
import ssl
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from dirigent.model.problem import refuse
from dirigent.model.record import dataclass
from dirigent.model.stack import Identity
from dirigent.tasks.http.guard import Target
from dirigent.tasks.http.tls.trust import Trust

OPENER: Final = "dirigent.tasks.http.tls.opening"
NEEDED: Final = "cryptography"
# What OpenSSL looks for in a folder of authorities: eight digits of a name's digest, and a number.
HASHED: Final = "[0-9a-f]" * 8 + ".[0-9]"


@dataclass(frozen=True, slots=True)
class Pem:
    """Authorities, and what is shown: None leaves the first to the client, and shows nothing."""

    authorities: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = None


def pem_of(trust: Trust | None, target: Target) -> Pem:
    """Return the texts for a target. Raises `Refusal` (E4123, E7105). Blocks."""
    machine = machine_authorities()
    if trust is None:
        return Pem(machine or None)
    # The files are tried where it is known how to say what is wrong with them.
    trust.named(target)
    own = trust.network.authorities
    authorities = machine + (trust.read(own, target) if own else b"")
    identity = trust.identity(target)
    if identity is None:
        return Pem(authorities or None)
    certificate = trust.read(identity.certificate, target)
    key = trust.read(identity.key or identity.certificate, target)
    if identity.password:
        key = _opened(key, trust.phrase(identity), identity)
    return Pem(authorities or None, certificate, key)


def machine_authorities() -> bytes:
    """Return the authorities that this machine trusts, as OpenSSL finds them; empty when it names none."""
    paths = ssl.get_default_verify_paths()
    found = []
    if paths.cafile:
        found.append(_text(Path(paths.cafile)))
    if paths.capath:
        found += [_text(path) for path in sorted(Path(paths.capath).glob(HASHED))]
    return b"".join(dict.fromkeys(found))


def _text(path: Path) -> bytes:
    try:
        return path.read_bytes() + b"\n"
    except OSError:
        return b""  # A link whose file is gone: OpenSSL passes it over too.


def _opened(key: bytes, phrase: str, identity: Identity) -> bytes:
    if find_spec(NEEDED) is None:
        raise refuse(
            "E7105",
            f"the key `{identity.key or identity.certificate}` has a pass phrase, and to open it for gRPC "
            f"needs the package `{NEEDED}`, which is not installed",
            "install it with: pip install 'dirigent[oauth]', or give a key without a pass phrase",
        )
    open_key: Callable[[bytes, str], bytes] = importlib.import_module(OPENER).opened
    return open_key(key, phrase)
