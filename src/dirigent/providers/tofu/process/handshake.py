"""The first line that a provider says: where it listens and what it speaks.

`CORE|APP|NETWORK|ADDRESS|PROTOCOL|CERTIFICATE`, as hashicorp/go-plugin writes it.
"""

from __future__ import annotations

import base64
import binascii
import ssl
from typing import Final

from dirigent.model.record import dataclass

CORE: Final = "1"
LEAST_FIELDS: Final = 4
CERTIFICATE_FIELD: Final = 5
# Early plug-ins leave other things in that field; no certificate is as short.
CERTIFICATE_LENGTH: Final = 50


class NoHandshake(Exception):
    """What was said is no handshake; the message shows it."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """`address` is a target of gRPC. `certificate` is PEM, the only one to trust; empty without TLS."""

    version: int
    address: str
    certificate: bytes = b""


def read_handshake(line: str) -> Handshake:
    """Return what the line says. Raises `NoHandshake`."""
    fields = line.strip().split("|")
    if len(fields) < LEAST_FIELDS or fields[0] != CORE or not fields[1].isdecimal():
        raise NoHandshake(f"`{line.strip()[:200]}` is not how a provider begins")
    if fields[4:5] != ["grpc"]:
        raise NoHandshake("it speaks the protocol of before gRPC, which nobody does any more")
    network, place = fields[2], fields[3]
    if network not in {"unix", "tcp"}:
        raise NoHandshake(f"it listens on `{network}`, which is no network known here")
    address = f"unix:{place}" if network == "unix" else place
    return Handshake(int(fields[1]), address, _certificate(fields))


def _certificate(fields: list[str]) -> bytes:
    text = fields[CERTIFICATE_FIELD] if len(fields) > CERTIFICATE_FIELD else ""
    if len(text) <= CERTIFICATE_LENGTH:
        return b""
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise NoHandshake("its certificate cannot be read") from None
    return ssl.DER_cert_to_PEM_cert(content).encode()
