"""Pages served over TLS on loopback, with what only a server can do wrong."""

import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def served(pages, keys, name="server"):
    """Serve pages, whose URLs are those of this server, and yield `HOST:PORT`.

    A page of status 302 leads to where its body says; one of status 206 breaks off before its end.
    """

    class Desk(BaseHTTPRequestHandler):
        def do_GET(self):
            place = f"https://127.0.0.1:{self.server.server_port}{self.path}"
            pages.asked.append((place, self.headers.get("Authorization")))
            status, body = pages.pages.get(place, (404, b"not found"))
            if status == 302:
                self.send_response(302)
                self.send_header("Location", body.decode())
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200 if status == 206 else status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if status == 206 else body)
            self.close_connection = True

        def log_message(self, *words):
            """Nobody reads it."""

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            """A client that goes away in the middle is no news."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / f"{name}.pem", keys / f"{name}.key")
    server = Quiet(("127.0.0.1", 0), Desk)
    server.daemon_threads = False
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
