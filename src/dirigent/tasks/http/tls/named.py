"""TLS to an address under the name that was resolved to it: that name is checked, whoever connects.

A client library that connects in a thread or a task of its own keeps to itself why TLS failed: it is
remembered here. One context is for one connection. The signatures are those of the standard library.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Self

# Not failures: a handshake that goes on, a connection that ends as it should.
ORDINARY: Final = (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLZeroReturnError)
CHUNK_BYTES: Final = 1024


class _Socket(ssl.SSLSocket):
    """A socket that tells its context what became of it, and is closed when it fails to stand."""

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands."""
        try:
            with _watched(self.context):
                super().do_handshake(block)
        except ORDINARY:
            raise
        except OSError:
            self.close()
            raise
        _note_standing(self.context)

    def recv(self, buflen: int = CHUNK_BYTES, flags: int = 0) -> bytes:
        """Read. In TLS 1.3 a server refuses a client after the handshake."""
        with _watched(self.context):
            return super().recv(buflen, flags)


class _Buffers(ssl.SSLObject):
    """Buffers that tell their context what became of them."""

    def do_handshake(self) -> None:
        """Shake hands."""
        with _watched(self.context):
            super().do_handshake()
        _note_standing(self.context)


class Named(ssl.SSLContext):
    """Checks the certificate of one name. `failure` is why TLS failed.

    `begun` and `stood` are whether a handshake was tried, and came to its end on our side.
    """

    _name: str
    failure: ssl.SSLError | None
    begun: bool
    stood: bool

    def __new__(cls, name: str) -> Self:
        """Make a context for clients, which checks everything, and trusts whom the machine trusts."""
        made = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        made._name, made.failure, made.begun, made.stood = name, None, False, False
        made.sslsocket_class, made.sslobject_class = _Socket, _Buffers
        made.load_default_certs()
        return made

    def wrap_socket(
        self,
        sock: socket.socket,
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        suppress_ragged_eofs: bool = True,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        """Wrap a socket for the name."""
        self.begun = True
        return super().wrap_socket(
            sock, server_side, do_handshake_on_connect, suppress_ragged_eofs, self._name, session
        )

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Wrap buffers for the name."""
        self.begun = True
        return super().wrap_bio(incoming, outgoing, server_side, self._name, session)


@contextmanager
def _watched(context: ssl.SSLContext) -> Iterator[None]:
    try:
        yield
    except ORDINARY:
        raise
    except ssl.SSLError as error:
        if isinstance(context, Named):
            context.failure = context.failure or error
        raise


def _note_standing(context: ssl.SSLContext) -> None:
    if isinstance(context, Named):
        context.stood = True
