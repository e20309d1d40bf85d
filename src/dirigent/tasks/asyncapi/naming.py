"""TLS to an address under the name that was resolved to it: that name is checked, whoever connects."""

from __future__ import annotations

import socket
import ssl
from typing import Self


class Named(ssl.SSLContext):
    """Checks the certificate of one name. The signatures are those of the standard library."""

    _name: str

    def __new__(cls, name: str) -> Self:
        """Make a context for clients, which checks everything, and trusts whom the machine trusts."""
        made = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        made._name = name
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
        return super().wrap_bio(incoming, outgoing, server_side, self._name, session)
