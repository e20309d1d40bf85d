"""A service of the shop as a process, and a client for it."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

SERVICES = Path(__file__).parents[2] / "examples" / "shop" / "services"


class Running:
    """One service as a process, and a client for it."""

    def __init__(self, name, data, *arguments):
        command = [sys.executable, SERVICES / f"{name}.py", "--port", "0", "--data", data, *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def ask(self, method, path, body=None, key=None):
        """Return (status, body) of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            headers = {"Idempotency-Key": key} if key else {}
            raw = body if body is None or isinstance(body, bytes) else json.dumps(body)
            connection.request(method, path, raw, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def acts(self):
        """Return the ledger as (act, subject)."""
        return [(line["act"], line["subject"]) for line in self.ask("GET", "/ledger")[1]]


@contextmanager
def running(name, data, *arguments):
    service = Running(name, data, *arguments)
    try:
        yield service
    finally:
        service.process.kill()
        service.process.communicate()
