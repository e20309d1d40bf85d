"""A front that ends TLS before a server in plain text, as a proxy does; a refused client gets its alert."""

import select
import socket
import ssl
import threading
from contextlib import contextmanager, suppress

CHUNK = 65536


def context_of(keys, server, *, demands):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / f"{server}.pem", keys / f"{server}.key")
    context.set_alpn_protocols(["h2", "http/1.1"])
    if demands:
        context.load_verify_locations(keys / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@contextmanager
def fronted(keys, server, behind, *, demands):
    """Yield the port of a front with a certificate; what passes goes to the port `behind`."""
    context = context_of(keys, server, demands=demands)
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()
    threads = []

    def accept():
        while True:
            with suppress(OSError):
                each, _ = listener.accept()
                if over.is_set():
                    each.close()
                    return
                thread = threading.Thread(target=serve, args=(each, context, behind))
                threads.append(thread)
                thread.start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        socket.create_connection(listener.getsockname()).close()
        acceptor.join()
        listener.close()
        for thread in threads:
            thread.join()


def serve(plain, context, behind):
    secure = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
    with secure:
        try:
            secure.do_handshake()
        except OSError:
            # What the client sent meanwhile is read, so that it gets to see the alert.
            with suppress(OSError), socket.socket(fileno=secure.detach()) as rest:
                rest.shutdown(socket.SHUT_WR)
                while rest.recv(CHUNK):
                    pass
            return
        with socket.create_connection(("127.0.0.1", behind)) as inner, suppress(OSError):
            passed(secure, inner)


def passed(secure, inner):
    """Pass both ways until one side has ended. One thread does it: two may not share a connection of TLS."""
    while True:
        ready = [secure] if secure.pending() else select.select([secure, inner], [], [])[0]
        if inner in ready:
            piece = inner.recv(CHUNK)
            if not piece:
                return
            secure.setblocking(True)
            secure.sendall(piece)
        if secure in ready:
            secure.setblocking(False)
            with suppress(ssl.SSLWantReadError):
                piece = secure.recv(CHUNK)
                if not piece:
                    return
                inner.sendall(piece)
