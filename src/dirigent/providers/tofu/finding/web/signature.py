"""Detached OpenPGP signatures. The library is imported here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

from pysequoia import Cert, Sig, verify


class NotSigned(Exception):
    """No key that is named has made a signature; the message says why."""


def signer(content: bytes, signature: bytes, keys: Sequence[str]) -> str:
    """Return the fingerprint of that key, of those given in ASCII armor, which signed. Raises `NotSigned`.

    A key that cannot be read is passed over: a registry may list ones of a kind that is not trusted any more.
    """
    certificates = [each for key in keys for each in _read(key)]
    if not certificates:
        raise NotSigned("none of the keys that it names can be read")
    try:
        # The library looks for the right one, and counts only what its policy of algorithms allows.
        found = verify(bytes=content, store=lambda _ids: certificates, signature=Sig.from_bytes(signature))
    except RuntimeError as error:
        raise NotSigned(_first_line(error)) from None
    return str(found.valid_sigs[0].certificate)


def _read(key: str) -> list[Cert]:
    try:
        return list(Cert.split_bytes(key.encode()))
    except RuntimeError:
        return []


def _first_line(error: RuntimeError) -> str:
    """Return what it says; a trace of the library follows."""
    return str(error).partition("\n")[0].rstrip(".")
