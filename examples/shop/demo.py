"""The main job, on a real shop: bring it up, place orders, crash the engine, resume, roll over, take it down.

Run it with `make demo`. It works in a folder of its own, uses nothing but this machine's loopback
addresses, and exits with 1 when anything was not as it says.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

HERE = Path(__file__).parent
MARK = "DIRIGENT_DEMO"
ORDER = {"sku": "teapot", "quantity": 2, "country": "FR"}
PATIENCE_SECONDS = 60.0


class NotSo(AssertionError):
    """Something that the demo promises did not hold."""


class Shop:
    """The shop in a folder of its own, driven through the command line as a person would."""

    def __init__(self, folder: Path) -> None:
        """Copy the example's stack into `folder`."""
        self.folder = folder
        shutil.copytree(HERE / "services", folder / "services", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(HERE / "workflows", folder / "workflows")
        shutil.copy(HERE / "stack.yaml", folder / "stack.yaml")
        self.environment = {**os.environ, MARK: str(folder), "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command of Dirigent."""
        return subprocess.Popen(
            [sys.executable, "-m", "dirigent", words[0], "-C", str(self.folder), *words[1:]],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(self, *words: str, expect: int = 0) -> str:
        """Run a command to its end and return what it printed; another exit code than expected is NotSo."""
        process = self.start(*words)
        out, err = process.communicate(timeout=PATIENCE_SECONDS * 2)
        holds(
            process.returncode == expect,
            f"`dirigent {' '.join(words)}` gave {process.returncode}, not {expect}:\n{out}\n{err}",
        )
        return out

    def answer(self, *words: str, expect: int = 0) -> dict:
        """Run a command with `--json` and return its answer."""
        return json.loads(self.call(*words, "--json", expect=expect))

    def order(self, name: str, expect: int = 0, **changes: object) -> dict:
        """Place an order and return the run."""
        return self.answer("run", "place-order", *order_flags(name, changes), "--id", name, expect=expect)

    def urls(self) -> dict[str, str]:
        """Return the stable address of each service."""
        rows = self.answer("ps")["resources"]
        return {row["address"]: row["attributes"]["url"] for row in rows if row["type"] == "service"}

    def processes(self) -> list[int]:
        """Return the processes that belong to this demo, other than the demo itself."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    words = (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if f"{self.folder}/".encode() in words or self._marked(entry):
                    found.append(int(entry.name))
        return found

    def _marked(self, entry: Path) -> bool:
        try:
            return f"{MARK}={self.folder}".encode() in (entry / "environ").read_bytes()
        except OSError:
            return False


def order_flags(name: str, changes: dict[str, object]) -> list[str]:
    """Return the options that give an order to the workflow."""
    members = {"order": name, **ORDER, **changes}
    return [word for key, value in members.items() for word in ("-i", f"{key}={value}")]


def holds(condition: object, otherwise: str) -> None:
    """Raise `NotSo` unless the condition holds."""
    if not condition:
        raise NotSo(otherwise)


def fetch(url: str, body: object = None) -> object:
    """Ask a service, as any client would."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def until(what: str, condition: Callable[[], object]) -> object:
    """Wait until a condition holds; return what it gave."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise NotSo(f"waited {PATIENCE_SECONDS:.0f} s in vain for {what}")


def acts(url: str, order: str) -> list[str]:
    """Return what a service did for an order, from its own ledger."""
    lines = fetch(f"{url}/ledger?order={order}")
    return [line["act"] for line in lines] if isinstance(lines, list) else []


@contextmanager
def part(title: str) -> Iterator[None]:
    """Say what is shown now, and how long it took."""
    started = time.monotonic()
    print(f"\n== {title}", flush=True)
    yield
    print(f"   ({time.monotonic() - started:.1f} s)", flush=True)


def told(text: str) -> None:
    """Say what was seen."""
    print(f"   {text}", flush=True)


def bring_up(shop: Shop) -> None:
    """`up`, killed in the middle, and again."""
    with part("plan: what would change"):
        print(shop.call("plan"))
    with part("up, and the engine is killed with SIGKILL in the middle of it"):
        process = shop.start("up", "--yes")
        kill_at(process, "STARTED   payment ")
        rows = len(shop.answer("ps")["resources"])
        told(f"killed; the journal knows {rows} finished resources")
    with part("up again: it resumes what the crash left"):
        shop.call("up", "--yes")
        names = sorted(shop.urls())
        holds(names == ["inventory", "payment", "shipping"], f"services: {names}")
        runs = shop.answer("ps", "--all")["runs"]
        holds(len([run for run in runs if run["kind"] == "apply"]) == 1, f"more than one apply: {runs}")
        holds(not shop.answer("plan")["changes"] or unchanged(shop), "a second plan still wants changes")
        told(f"one apply, resumed to its end; up: {', '.join(names)}")


def unchanged(shop: Shop) -> bool:
    """Return whether the plan has nothing to do."""
    return all(change["action"] == "keep" for change in shop.answer("plan")["changes"])


def kill_at(process: subprocess.Popen[str], sign: str) -> None:
    """Kill a command with SIGKILL as soon as it prints a line with this sign in it."""
    for line in process.stdout or ():
        if sign in f"{line.rstrip()} ":
            process.send_signal(signal.SIGKILL)
            break
    _, err = process.communicate()
    holds(process.returncode == -signal.SIGKILL, f"it was over before it could be killed: {err}")


def place_orders(shop: Shop) -> None:
    """Orders that succeed, and orders that fail and are undone."""
    url = shop.urls()
    with part("an order that succeeds"):
        done = shop.order("order-1")
        holds(done["output"]["outcome"] == "placed", f"not placed: {done}")
        holds(acts(url["payment"], "order-1") == ["charge"], "order-1 was not charged exactly once")
        told(f"order-1: {json.dumps(done['output'])}")
    with part("payment is out of order twice: retried with back-off, charged once"):
        fetch(f"{url['payment']}/faults", {"operation": "charge", "mode": "fail", "times": 2})
        done = shop.order("order-2")
        holds(done["output"]["outcome"] == "placed", f"not placed: {done}")
        holds(acts(url["payment"], "order-2") == ["charge"], "order-2 was not charged exactly once")
        told("order-2: placed on the third attempt")
    with part("shipping refuses the country: charge and reservation are undone, in reverse order"):
        done = shop.order("order-3", country="AQ")
        holds(done["output"]["outcome"] == "rejected", f"not rejected: {done}")
        undone = [each.partition("-")[0] for each in done["output"]["undone"]]
        holds(undone == ["charge", "reservation"], f"undone: {undone}")
        holds(acts(url["payment"], "order-3") == ["charge", "refund"], "order-3 kept the money")
        holds(acts(url["inventory"], "order-3") == ["reserve", "release"], "order-3 kept the goods")
        told(f"order-3: {json.dumps(done['output'])}")
    with part("the card is declined: nothing to refund, the reservation is released"):
        fetch(f"{url['payment']}/faults", {"operation": "charge", "mode": "decline"})
        done = shop.order("order-4")
        holds(done["output"]["outcome"] == "rejected", f"not rejected: {done}")
        holds(acts(url["payment"], "order-4") == [], "order-4 was charged")
        told(f"order-4: {json.dumps(done['output'])}")


def crash_orders(shop: Shop) -> None:
    """The engine dies in the middle of an order; so does a service."""
    url = shop.urls()
    with part("the engine is killed with SIGKILL while the money is being taken"):
        fetch(f"{url['payment']}/faults", {"operation": "charge", "mode": "slow", "seconds": 1.5})
        process = shop.start("run", "place-order", *order_flags("order-5", {}), "--id", "order-5")
        kill_at(process, "STARTED   takeMoney ")
        done = shop.answer("resume", "order-5")
        holds(done["output"]["outcome"] == "placed", f"not placed: {done}")
        holds(acts(url["payment"], "order-5") == ["charge"], "order-5 was not charged exactly once")
        told("order-5: resumed, placed, charged exactly once")
    with part("the payment service dies after it took the money and before it answered"):
        fault = {"operation": "charge", "mode": "die", "moment": "after"}
        fetch(f"{url['payment']}/faults", fault)
        done = shop.order("order-6")
        holds(done["output"]["outcome"] == "placed", f"not placed: {done}")
        holds(acts(url["payment"], "order-6") == ["charge"], "order-6 was not charged exactly once")
        told("order-6: the same key on the second attempt, charged exactly once")
    print(shop.call("show", "order-6"))


class Load:
    """Requests without pause against one address, from a thread of its own."""

    def __init__(self, url: str) -> None:
        """Ask `url` until stopped."""
        self.url, self.asked, self.failed = url, 0, []
        self.releases: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self.releases.add(fetch(f"{self.url}/health")["release"])
            except (OSError, urllib.error.URLError, ValueError) as failure:
                self.failed.append(repr(failure))
            self.asked += 1


def roll_over(shop: Shop) -> None:
    """A change of the stack replaces every replica, and no request is lost."""
    before = shop.urls()
    with part("the stack changes: release 2 replaces release 1, replica by replica, under load"):
        print(shop.call("plan", "--input", "release=2"))
        with Load(before["payment"]) as load:
            until("the first answers", lambda: load.asked > 0)
            shop.call("up", "--yes", "--input", "release=2")
            until("an answer of release 2", lambda: "2" in load.releases)
        holds(not load.failed, f"{len(load.failed)} of {load.asked} requests failed: {load.failed[:3]}")
        holds(shop.urls() == before, "an address changed")
        seen = ", ".join(sorted(load.releases))
        told(f"{load.asked} requests, none failed, the addresses are the same; releases seen: {seen}")


def drift_and_repair(shop: Shop) -> None:
    """Somebody changes a file by hand."""
    with part("somebody edits a configuration file by hand: drift shows it, up repairs it"):
        path = shop.folder / "run" / "etc" / "payment.json"
        path.write_text('{"limit": 1}', encoding="utf-8")
        print(shop.call("drift", "--check", "--input", "release=2", expect=5))
        shop.call("up", "--yes", "--input", "release=2")
        shop.call("drift", "--check", "--input", "release=2")
        told("repaired")


def take_down(shop: Shop) -> None:
    """Everything goes, in reverse order, and nothing stays behind."""
    with part("down: everything goes, in reverse order"):
        # The services wrote their stores into a directory that is ours to delete only when it is empty.
        stop_writing(shop)
        shop.call("down", "--yes")
        holds(shop.answer("ps")["resources"] == [], "resources are left")
        until("the last process to end", lambda: not shop.processes())
        told("no resource, no process is left; the journal still knows every order:")
        print(shop.call("ps", "--all"))


def stop_writing(shop: Shop) -> None:
    """Remove what the services keep in their data directory, as an owner would after a backup."""
    for path in (shop.folder / "run" / "data").glob("*"):
        path.unlink()


def main() -> int:
    """Run every part; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="work here instead of in a temporary folder, and keep it")
    options = parser.parse_args()
    folder = (options.folder or Path(tempfile.mkdtemp(prefix="dirigent-shop-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    shop = Shop(folder)
    started = time.monotonic()
    print(f"the shop lies in {folder}; state, journal and logs in {folder / '.dirigent'}")
    try:
        for step in (bring_up, place_orders, crash_orders, roll_over, drift_and_repair, take_down):
            step(shop)
    except NotSo as failure:
        print(f"\nNOT SO: {failure}", file=sys.stderr)
        print(f"everything is left as it is in {folder}", file=sys.stderr)
        shop.start("down", "--yes").communicate()
        return 1
    print(f"\nall of it was so, in {time.monotonic() - started:.0f} s")
    if options.folder is None:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
