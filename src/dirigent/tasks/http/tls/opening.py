"""A private key without its pass phrase, in memory only. Needs `cryptography`."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


def opened(pem: bytes, phrase: str) -> bytes:
    """Return a key in PEM form that needs no pass phrase. That it opens was tried before."""
    try:
        key = load_pem_private_key(pem, phrase.encode())
    except TypeError:
        return pem  # It has none.
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
