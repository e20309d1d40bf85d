"""A shop of its own in a folder: its engines, and everything that can be seen of it from outside."""

import asyncio
import json
import re
import shutil
import stat
import urllib.request
from collections import Counter
from dataclasses import asdict, dataclass

from dirigent.providers.services.folder import folder_of
from dirigent.shim import pulse
from dirigent.stores.lock import EngineLock
from dirigent.stores.sqlite import SqliteStore
from system.rig.smith import ROOT, until, words_of

SHOP = ROOT / "examples" / "shop"
REPLICAS = {"inventory": 1, "payment": 2, "shipping": 1}
# Ports are chosen anew for each shop.
PORTS = re.compile(r"\b[23][0-9]{4}\b")
# A shop whose waits are short, so that a thousand crashes cost minutes and not hours.
HASTE = {
    "stack.yaml": (
        (
            "health: {http: /health}",
            "health: {http: /health, interval: 0.2}\n      restart: {delay: 0.02, most: 0.1}",
        ),
    ),
    "workflows/place-order.yaml": (
        ("milliseconds: 200", "milliseconds: 20"),
        ("milliseconds: 500", "milliseconds: 20"),
    ),
}


class Differs(AssertionError):
    """What was found after a crash is not what a calm run gives."""


def same(what, found, expected):
    """Raise `Differs` unless both are equal; of lists only what is not in both is shown."""
    if found == expected:
        return
    if isinstance(found, list) and isinstance(expected, list):
        extra = [each for each in found if each not in expected]
        missing = [each for each in expected if each not in found]
        if extra or missing:
            found, expected = extra, missing
    raise Differs(f"{what}: {found!r} is not {expected!r}")


@dataclass(frozen=True)
class Shop:
    """The shop in `folder`, whose engines come from `forge`."""

    folder: object
    forge: object

    @classmethod
    def made(cls, folder, forge):
        """Copy the example, in haste."""
        for name in ("services", "workflows"):
            shutil.copytree(SHOP / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(SHOP / "stack.yaml", folder / "stack.yaml")
        for name, changes in HASTE.items():
            text = (folder / name).read_text()
            for slow, quick in changes:
                assert slow in text, slow
                text = text.replace(slow, quick)
            (folder / name).write_text(text)
        return cls(folder, forge)

    @property
    def state(self):
        return self.folder / ".dirigent"

    def live(self, command, *rest, **how):
        """Let an engine live through one command in this shop."""
        return self.forge.live(command, "-C", str(self.folder), *rest, **how)

    def calm(self, command, *rest):
        """Let an engine live, and expect that it ends well."""
        lived = self.live(command, *rest)
        if lived.code:
            raise Differs(f"{command} {rest} gave {lived.code}: {lived.err}{lived.out}")
        return lived

    # -- what is stored ---------------------------------------------------------------------------

    def ask(self, question):
        """Ask the store beside all engines; `question` gets it and returns something to wait for."""

        async def asked():
            store = SqliteStore.open_for_reading(str(self.state / "dirigent.db"))
            try:
                return await question(store)
            finally:
                await store.close()

        return asyncio.run(asked())

    def runs(self):
        return self.ask(lambda store: store.runs(limit=100_000))

    def journal(self, run):
        return self.ask(lambda store: store.read(run))

    def rows(self):
        """Return the resource rows without what is chosen anew in each shop."""
        rows = [asdict(row) for row in self.ask(lambda store: store.rows())]
        text = json.dumps(rows, sort_keys=True, default=str).replace(str(self.folder), "FOLDER")
        rows = json.loads(PORTS.sub("1", text))
        for row in rows:
            # Which of two resources made the folder that both lie in is chance.
            row["private"].pop("parents", None)
        return rows

    # -- what stands in the world -------------------------------------------------------------------

    def files(self):
        """Return mode and content of every file that the stack declares."""
        found = {}
        for path in sorted((self.folder / "run").rglob("*")):
            if path.parent.name != "data":
                content = path.read_text() if path.is_file() else None
                found[str(path.relative_to(self.folder))] = (stat.S_IMODE(path.stat().st_mode), content)
        return found

    def status(self, service):
        return folder_of(str(self.state / "services"), service).status()

    def settled(self):
        """Return whether our processes are three stewards and their healthy replicas, and no more."""
        wanted = set()
        for service, replicas in REPLICAS.items():
            status = self.status(service)
            if status is None or not pulse.alive(status.mark):
                return False
            healthy = [each["pid"] for each in status.replicas if each["state"] == "healthy"]
            if len(healthy) != replicas:
                return False
            wanted |= {status.mark["pid"], *healthy}
        return wanted == self.forge.family()

    def check_processes(self):
        if not until(self.settled):
            alive = Counter(re.sub(r"--port \d+", "--port N", words_of(pid)) for pid in self.forge.family())
            states = {service: self.status(service) for service in REPLICAS}
            raise Differs(f"the processes are {alive}, the services {states}")

    def urls(self):
        return {service: f"http://127.0.0.1:{self.status(service).port}" for service in REPLICAS}

    def check_health(self):
        for service, url in self.urls().items():
            same(f"health of {service}", fetch(f"{url}/health")["status"], "ok")

    def check_lock(self):
        lock = EngineLock.try_take(str(self.state / "engine.lock"))
        if lock is None:
            raise Differs("somebody holds the lock")
        lock.release()


def fetch(url, body=None, method=None):
    """Ask a service, as any client would."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)
