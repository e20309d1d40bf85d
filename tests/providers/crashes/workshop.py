"""A stack of files that a provider makes, in a folder of its own; its engines die, and go on."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass

from dirigent.model.run.journal import Abandoned, Ended, Failed, Held, Intended, Succeeded
from system.rig.shop import Differs, Shop, same
from system.rig.smith import PATIENCE_SECONDS, ROOT

LIVES = 8
HELD = 6
# As many objects change at a time, so no more may be in doubt after a crash.
PARALLEL = 2


@dataclass(frozen=True)
class Workshop(Shop):
    """`count` files, each tenth of which needs the one before; `forge` None: engines are real processes."""

    count: int = 3

    @classmethod
    def made(cls, folder, forge=None, count=3, *, identity=True):
        """Lay out a stack, and the program of its provider."""
        (folder / "world" / "made").mkdir(parents=True)
        program = folder / "terraform-provider-maker"
        lines = [
            "#!/bin/sh",
            f"export PYTHONPATH={ROOT / 'src'}:{ROOT / 'tests'}",
            'export MAKER_FOLDER="$(dirname "$(readlink -f "$0")")/world"',
            f"exec {sys.executable} -m providers.crashes.maker",
        ]
        program.write_text("\n".join(lines) + "\n")
        program.chmod(0o755)
        shop = cls(folder, forge, count)
        shop.write("first", identity=identity)
        return shop

    def write(self, content, *, identity=True, kind="file", paths=None, rows=()):
        """Declare the files, with a content; `paths` has those that differ, `rows` are further sections.

        A page is called `p0` where a file is `f0`: what moves has another address.
        """
        lines = [
            "stack: workshop",
            f"providers: {{maker: {{source: ./terraform-provider-maker, parallel: {PARALLEL}}}}}",
            "resources:",
        ]
        for at in range(self.count):
            lines += [f"  {kind[0]}{at}:", f"    type: maker_{kind}"]
            lines += ['    lifecycle: {identity: "{path}"}'] if identity else []
            before = f"${{ $resources.{kind[0]}{at - 1}.id + ' {content}' }}".replace("'", '"')
            said = before if at % 10 == 9 or (at == 1 and self.count < 10) else content
            path = (paths or {}).get(at, f"f{at}")
            lines += [f"    with: {{path: {path}, content: {json.dumps(said)}}}"]
        lines += rows
        (self.folder / "stack.yaml").write_text("\n".join(lines) + "\n")

    def live(self, command, *rest, death=None, plant=None, maker=""):
        """Let an engine live through one command, and its provider die where it is told to."""
        (self.folder / "world" / "death").write_text(maker)
        return self.forge.live(command, "-C", str(self.folder), *rest, death=death, plant=plant)

    def start(self, *words):
        """Start a command as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "dirigent", *words, "-C", str(self.folder)],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def ledger(self):
        """Return what was done: a deed and a path each."""
        place = self.folder / "world" / "ledger"
        return [tuple(line.split()) for line in place.read_text().splitlines()] if place.exists() else []

    def calls(self):
        """Return how often each call has come up."""
        found = (self.folder / "world").glob("calls-*")
        return {each.name.removeprefix("calls-"): len(each.read_text().splitlines()) for each in found}

    def objects(self):
        """Return what was done to each object."""
        made = (self.folder / "world" / "made").iterdir()
        return {each.name: each.read_text().splitlines() for each in made}

    def until_done(self, *words):
        """Give the command (`up`) until it has nothing left to do, and return how often that was."""
        command, *rest = words or ("up",)
        for lives in range(1, LIVES + 1):
            code, said = self._given(command, *rest)
            if not code:
                return lives
            if code == HELD:
                raise Differs(f"it is held: {said}")
        raise Differs(f"{command} gave {code} for the {LIVES}th time: {said}")

    def _given(self, *words):
        if self.forge:
            lived = self.live(*words, "--yes")
            return lived.code, lived.err + lived.out
        process = self.start(*words, "--yes")
        _, said = process.communicate(timeout=10 * PATIENCE_SECONDS)
        return process.returncode, said.decode()

    def check(self, where, content="first", kind="file"):
        """Raise `Differs` unless everything stands once, and is known: nothing forgotten, nothing twice."""
        objects = self.objects()
        made = {name: sum(deed.startswith("create") for deed in deeds) for name, deeds in objects.items()}
        wanted = {f"f{at}": 1 for at in range(self.count)}
        same(f"creations after {where}", made, wanted)
        ends = {deeds[-1].strip('"').split()[-1].strip('"') for deeds in objects.values()}
        same(f"contents after {where}", ends, {content})
        rows = self.ask(lambda store: store.rows())
        known = {row.address: (row.type, row.attributes["path"]) for row in rows}
        meant = {f"{kind[0]}{at}": (f"maker_{kind}", f"f{at}") for at in range(self.count)}
        same(f"rows after {where}", known, meant)
        same(f"tainted rows after {where}", [row.address for row in rows if row.tainted], [])
        self.check_runs(where)

    def check_gone(self, where):
        """Raise `Differs` unless nothing stands, and nothing is known to."""
        same(f"objects after {where}", self.objects(), {})
        same(f"rows after {where}", self.ask(lambda store: store.rows()), [])
        self.check_runs(where)

    def check_runs(self, where):
        """Raise `Differs` when a run is open, which would be the lock of this stack."""
        for run in self.runs():
            facts = self.journal(run.id)
            if not isinstance(facts[-1], Ended):
                raise Differs(f"run {run.id} is open after {where}: {facts[-1]}")
            check_intents(facts, where)


def check_intents(facts, where, most=PARALLEL):
    """Raise `Differs` when more was meant to be done at some instant than can be under way."""
    meant = set()
    for fact in facts:
        if isinstance(fact, Intended):
            meant.add((fact.position, fact.attempt))
        elif isinstance(fact, Succeeded | Failed | Abandoned | Held):
            meant.discard((fact.position, fact.attempt))
        if len(meant) > most:
            raise Differs(f"{len(meant)} steps are meant to be done after {where}, not {most}: {meant}")


def strike(shop, words, deeds, victim):
    """Kill the engine, the provider or both once so many deeds are in the ledger; True: it was in time."""
    process = shop.start(*words.split(), "--yes")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(shop.ledger()) < deeds and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    struck = process.poll() is None
    pids = {"engine": [process.pid], "provider": [maker_of(shop)], "both": [maker_of(shop), process.pid]}
    for pid in pids[victim]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=10 * PATIENCE_SECONDS)
    return struck


def maker_of(shop):
    return int((shop.folder / "world" / "pid").read_text() or 0) or -1
