"""Stand-ins on loopback for the two public services that the kit calls.

They know each other apart by the name in the request, speak https when a certificate can be made, and
answer what is not described here with 404.
"""

from __future__ import annotations

import json
import re
import shutil
import ssl
import subprocess
import threading
from base64 import b64decode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PETSTORE, HTTPBIN = "petstore.swagger.io", "httpbin.org"
OPENSSL = shutil.which("openssl")
_NAMES = f"subjectAltName=DNS:{PETSTORE},DNS:{HTTPBIN},DNS:localhost,IP:127.0.0.1\n"
_STEPS = """
req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem -subj /CN=authority\
 -addext keyUsage=critical,keyCertSign,cRLSign
req -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr -subj /CN=stand-in
x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out leaf.pem -extfile leaf.conf
"""


class Authority:
    """A certificate authority of one test: `trusted` is its file, `leaf` what a server shows."""

    def __init__(self, folder):
        (folder / "leaf.conf").write_text(_NAMES + "basicConstraints=critical,CA:FALSE\n")
        for step in _STEPS.strip().splitlines():
            subprocess.run([OPENSSL, *step.split()], cwd=folder, check=True, capture_output=True)
        self.trusted = str(folder / "ca.pem")
        self.leaf = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.leaf.load_cert_chain(folder / "leaf.pem", folder / "leaf.key")


def pet(number):
    return {"id": number, "name": f"pet-{number}", "status": "available", "photoUrls": [], "tags": []}


def description(scheme, host):
    """A document of OpenAPI 2.0, as the pet store publishes one."""
    answer = {"200": {"description": "ok"}}
    status = {"name": "status", "in": "query", "required": True, "type": "array", "items": {"type": "string"}}
    number = {"name": "petId", "in": "path", "required": True, "type": "integer", "format": "int64"}
    found = {"operationId": "findPetsByStatus", "parameters": [{**status, "collectionFormat": "multi"}]}
    one = {"operationId": "getPetById", "parameters": [number]}
    return {
        "swagger": "2.0",
        "info": {"title": "Pet Store", "version": "1.0.7"},
        "host": host,
        "basePath": "/v2",
        "schemes": [scheme],
        "paths": {
            "/pet/findByStatus": {"get": {**found, "responses": answer}},
            "/pet/{petId}": {"get": {**one, "responses": answer}},
        },
    }


class _Answers(BaseHTTPRequestHandler):
    """One request. `server.scheme` is how it came."""

    def do_GET(self):
        host = self.headers["Host"]
        self.server.seen.append((host.partition(":")[0], self.path))
        status, content = self._answer(host)
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, host):
        match host.partition(":")[0]:
            case name if name == PETSTORE:
                return self._petstore(host)
            case name if name in (HTTPBIN, "localhost"):
                return self._httpbin()
        return 421, {"message": f"{host} is not here"}

    def _petstore(self, host):
        if self.path == "/v2/swagger.json":
            return 200, description(self.server.scheme, host)
        if self.path == "/v2/pet/findByStatus?status=available":
            return 200, [pet(1), pet(2), pet(3)]
        if number := re.fullmatch(r"/v2/pet/(\d+)", self.path):
            return 200, pet(int(number[1]))
        return 404, {"code": 404, "message": "no such pet"}

    def _httpbin(self):
        if self.path == "/greeting":
            return 200, "hello"
        if wanted := re.fullmatch(r"/basic-auth/([^/]+)/([^/]+)", self.path):
            scheme, _, token = self.headers.get("Authorization", "").partition(" ")
            if scheme != "Basic" or b64decode(token).decode() != f"{wanted[1]}:{wanted[2]}":
                return 401, {}
            return 200, {"authenticated": True, "user": wanted[1]}
        return 404, {}

    def log_message(self, *arguments):
        """Say nothing."""


@contextmanager
def standing(authority):
    """A server with both faces; over https when there is an authority."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    server.seen, server.scheme = [], "http"
    if authority is not None:
        server.scheme = "https"
        server.socket = authority.leaf.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def moved(text, server):
    """Return a document with the port of the stand-ins in its URLs: nobody may listen on 443 unasked."""
    port = server.server_address[1]
    for name in (PETSTORE, HTTPBIN):
        text = text.replace(f"https://{name}/", f"{server.scheme}://{name}:{port}/")
    return text


async def resolve(host, port):
    """Both names are here; there are no others."""
    if host in (PETSTORE, HTTPBIN):
        return ["127.0.0.1"]
    raise OSError(host)
