"""A vCenter that is simulated by `vcsim`, and a client that changes its objects behind a provider's back."""

from __future__ import annotations

import base64
import json
import re
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE_SECONDS = 60
ADDRESS = re.compile(r"GOVC_URL=https://[^@ ]*@([^/ ]+)/sdk")
ENVELOPE = '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>{}</Body></Envelope>'
LOGIN = (
    '<Login xmlns="urn:vim25"><_this type="SessionManager">SessionManager</_this>'
    "<userName>user</userName><password>pass</password></Login>"
)


@dataclass(frozen=True)
class Centre:
    """One that runs. `server` is its host and port."""

    server: str

    def tags(self) -> dict[str, dict[str, str]]:
        """Return all tags by their ids."""
        session = self._session()
        ids = self._rest("GET", "tagging/tag", session) or []
        return {each: self._rest("GET", f"tagging/tag/id:{each}", session) for each in ids}

    def describe(self, tag: str, words: str) -> None:
        """Give a tag another description."""
        self._rest("PATCH", f"tagging/tag/id:{tag}", self._session(), {"update_spec": {"description": words}})

    def destroy(self, kind: str, identity: str) -> None:
        """Delete an object of the inventory by its own id."""
        with self._asked("/sdk", "POST", {"Content-Type": "text/xml"}, ENVELOPE.format(LOGIN)) as answer:
            cookie = answer.headers["Set-Cookie"].partition(";")[0]
        wish = f'<Destroy_Task xmlns="urn:vim25"><_this type="{kind}">{identity}</_this></Destroy_Task>'
        heads = {"Content-Type": "text/xml", "Cookie": cookie}
        with self._asked("/sdk", "POST", heads, ENVELOPE.format(wish)) as answer:
            assert b"returnval" in answer.read()

    def _session(self) -> str:
        secret = base64.b64encode(b"user:pass").decode()
        with self._asked(
            "/rest/com/vmware/cis/session", "POST", {"Authorization": f"Basic {secret}"}
        ) as answer:
            return json.load(answer)["value"]

    def _rest(self, method: str, path: str, session: str, body: object = None):
        heads = {"vmware-api-session-id": session, "Content-Type": "application/json"}
        words = "" if body is None else json.dumps(body)
        with self._asked(f"/rest/com/vmware/cis/{path}", method, heads, words) as answer:
            found = answer.read()
        return json.loads(found)["value"] if found else None

    def _asked(self, path: str, method: str, heads: dict[str, str], body: str = ""):
        # Its certificate is one that it makes for itself at each start.
        anyone = ssl.create_default_context()
        anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
        url = f"https://{self.server}{path}"
        request = urllib.request.Request(url, body.encode() or None, heads, method=method)
        return urllib.request.urlopen(request, timeout=PATIENCE_SECONDS, context=anyone)


@contextmanager
def centre(program: Path) -> Iterator[Centre]:
    """Run one with a data centre `DC0` and a cluster `DC0_C0`, at a port that it chooses."""
    words = [str(program), "-l", "127.0.0.1:0", "-host", "1", "-standalone-host", "0", "-vm", "0"]
    running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        line = running.stdout.readline()
        found = ADDRESS.search(line)
        assert found, line
        yield Centre(found[1])
    finally:
        running.kill()
        running.wait(PATIENCE_SECONDS)
        running.stdout.close()
