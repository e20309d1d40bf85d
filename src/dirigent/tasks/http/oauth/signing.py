"""Signatures by a private key: RSA gives RS256, the curve P-256 gives ES256. Needs `cryptography`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from dirigent.model.problem import refuse

# Each half of a signature on P-256, in bytes (RFC 7518, section 3.4).
HALF_BYTES: Final = 32


def signer_of(pem: str) -> tuple[str, Callable[[bytes], bytes]]:
    """Return the name of the algorithm of a key and what signs with it. Raises `Refusal` (E4122)."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    match key:
        case rsa.RSAPrivateKey():
            return "RS256", lambda content: key.sign(content, padding.PKCS1v15(), hashes.SHA256())
        case ec.EllipticCurvePrivateKey() if isinstance(key.curve, ec.SECP256R1):
            return "ES256", lambda content: _halves(key.sign(content, ec.ECDSA(hashes.SHA256())))
        case _:
            raise refuse(
                "E4122",
                "the private key of the client cannot be used",
                "give an RSA key, or one on the curve P-256, in PEM form and without a pass phrase",
            )


def _halves(signature: bytes) -> bytes:
    """Return a signature as JSON Web Tokens hold it: both numbers, one after the other."""
    return b"".join(number.to_bytes(HALF_BYTES, "big") for number in decode_dss_signature(signature))
