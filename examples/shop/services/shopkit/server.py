"""HTTP for a service: threads answer, each request in a transaction of its own."""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from shopkit import faults
from shopkit.openapi import describe
from shopkit.store import Store, list_ledger, once
from shopkit.terms import Refused, Request, Route, Service, problem

BODY_BYTES_MAX = 64 * 1024
GRACE_SECONDS = 5.0
DIED = 70
COMMON = (
    Route("GET", "/ledger", "listLedger", "Every effect, oldest first", list_ledger, {"order": "string?"}),
    *faults.ROUTES,
)


def respond(store: Store, route: Route, request: Request, fingerprint: str) -> tuple[int, object]:
    """Carry out one operation, with the faults that were ordered for it."""
    fault = faults.take_fault(store, route.operation) if route not in COMMON else None
    moment = fault.moment if fault else ""
    if fault and moment == "before":
        faults.strike(fault)
    declined = fault is not None and fault.mode == "decline"
    if not route.unsafe:
        with store.connect() as connection:
            return route.act(connection, request)
    with store.transaction() as connection:
        answer = once(connection, route, request, fingerprint, declined=declined)
        if fault and fault.mode == "die" and moment == "before":
            os._exit(DIED)
    if fault and moment == "after":
        faults.strike(fault)
        if fault.mode == "die":
            os._exit(DIED)
    return answer


class Server(ThreadingHTTPServer):
    """Threads answer; `drain` waits for the requests that are under way."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], service: Service, store: Store, release: str) -> None:
        """Listen; nothing is answered before `serve_forever`."""
        super().__init__(address, Exchange)
        self.service, self.store, self.release = service, store, release
        self.routes = service.routes + COMMON
        self.stopping = False
        self._busy, self._idle = 0, threading.Condition()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count one request while it is under way."""
        with self._idle:
            self._busy += 1
        try:
            yield
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()

    def drain(self) -> bool:
        """Wait until nothing is under way; return False when the grace ended first."""
        with self._idle:
            return self._idle.wait_for(lambda: self._busy == 0, GRACE_SECONDS)


class Exchange(BaseHTTPRequestHandler):
    """One connection. The names `do_GET` and so on are the standard library's."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 60
    # Headers and body leave as one packet; two would wait for each other's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer any method alike."""
        with self.server.busy():
            try:
                status, body = self._answer()
            except Refused as refusal:
                status, body = refusal.status, problem(refusal)
            self._send(status, body)

    def do_POST(self) -> None:
        """Answer."""
        self.do_GET()

    def do_PUT(self) -> None:
        """Answer."""
        self.do_GET()

    def do_DELETE(self) -> None:
        """Answer."""
        self.do_GET()

    def _answer(self) -> tuple[int, object]:
        parts = urlsplit(self.path)
        raw = self._body()
        if self.command == "GET" and parts.path == "/health":
            return 200, {"status": "ok", "service": self.server.service.name, "release": self.server.release}
        if self.command == "GET" and parts.path == "/openapi.json":
            return 200, describe(self.server.service, self.server.routes, self.server.release)
        for route in self.server.routes:
            found = route.match(self.command, parts.path)
            if found is not None:
                asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
                request = Request(found, asked, self._object(raw), self.headers.get("Idempotency-Key"))
                missing = [n for n, kind in route.query.items() if n not in asked and not kind.endswith("?")]
                if missing:
                    raise Refused(400, f"the query parameter `{missing[0]}` is missing")
                fingerprint = sha256(f"{self.command} {self.path}\n".encode() + raw).hexdigest()
                return respond(self.server.store, route, request, fingerprint)
        raise Refused(404, f"there is no `{self.command} {parts.path}` here")

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            raise Refused(411, "`Content-Length` is missing or no number")
        if int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            raise Refused(413, f"a body may have {BODY_BYTES_MAX} bytes, not `{length}`")
        return self.rfile.read(int(length))

    def _object(self, raw: bytes) -> dict[str, object]:
        try:
            body = json.loads(raw) if raw.strip() else {}
        except ValueError as error:
            raise Refused(400, f"the body is no JSON: {error}") from error
        if not isinstance(body, dict):
            raise Refused(400, "the body must be a JSON object")
        return body

    def _send(self, status: int, body: object) -> None:
        raw = json.dumps(body).encode()
        media = "application/problem+json" if status >= HTTPStatus.BAD_REQUEST else "application/json"
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(raw)))
        if self.server.stopping:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(raw)
        self.wfile.flush()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write one plain line per request."""
        print(f"{time.strftime('%H:%M:%S')} {self.requestline} {int(code)} {size}", flush=True)


def serve(service: Service) -> None:
    """Run a service until it is asked to stop; what is under way is finished first."""
    parser = argparse.ArgumentParser(description=f"The shop's {service.name} service.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 lets the system choose one")
    parser.add_argument("--data", type=Path, required=True, help="the directory of the SQLite file")
    parser.add_argument("--config", type=Path, help="a JSON file")
    parser.add_argument("--release", default=os.environ.get("SHOP_RELEASE", "1"))
    options = parser.parse_args()
    config = json.loads(options.config.read_text()) if options.config else {}
    store = Store(options.data / f"{service.name}.db")
    store.prepare(service, config, faults.TABLES)
    server = Server((options.host, options.port), service, store, options.release)

    def stop(_signal: int, _frame: object) -> None:
        server.stopping = True
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"{service.name} {options.release} listens on {options.host}:{server.server_port}", flush=True)
    server.serve_forever(poll_interval=0.05)
    server.server_close()
    drained = server.drain()
    print(f"{service.name} stops{'' if drained else ' with requests under way'}", flush=True)
