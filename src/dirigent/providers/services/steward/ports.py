"""Ports on loopback, below the range from which the kernel takes the ports of outgoing connections."""

from __future__ import annotations

import socket
from hashlib import blake2b
from typing import Final

LOOPBACK: Final = "127.0.0.1"
STABLE: Final = range(20_000, 26_000)
REPLICAS: Final = range(26_000, 32_000)


class NoPort(Exception):
    """Every port of the range is taken."""


def choose(among: range, seed: str) -> int:
    """Return a port that nobody listens on. Different seeds begin their search at different places."""
    start = int.from_bytes(blake2b(seed.encode(), digest_size=4).digest()) % len(among)
    for step in range(len(among)):
        port = among[(start + step) % len(among)]
        if is_free(port):
            return port
    raise NoPort(f"no free port from {among.start} to {among.stop - 1}")


def is_free(port: int) -> bool:
    """Return whether we could listen on it now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
