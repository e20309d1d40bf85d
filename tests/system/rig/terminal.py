"""Commands as a person starts them: processes of their own, with signals, exit codes and output."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

from system.rig.smith import PATIENCE_SECONDS, ROOT, until
from system.rig.world import World, counting

ENVIRONMENT = {"PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}


class Command:
    """One `dirigent` command that was started."""

    def __init__(self, world, *words):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dirigent", words[0], "-C", str(world.folder), *words[1:]],
            env={**os.environ, **ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.out = self.err = ""

    @property
    def lives(self):
        return self.process.poll() is None

    def send(self, number):
        self.process.send_signal(number)

    def read_until(self, sign):
        """Read its output up to a line with this sign in it."""
        for line in self.process.stdout:
            self.out += line
            if sign in f"{line.rstrip()} ":
                return
        raise AssertionError(f"no `{sign}` in {self.out} {self.process.stderr.read()}")

    def ended(self):
        """Wait for its end and return its exit code."""
        out, err = self.process.communicate(timeout=PATIENCE_SECONDS)
        self.out += out
        self.err += err
        assert "Traceback" not in self.err, self.err
        return self.process.returncode

    def close(self):
        """Wait for its end, and let go of its output."""
        self.process.wait(PATIENCE_SECONDS)
        self.process.stdout.close()
        self.process.stderr.close()

    def told(self):
        """Return everything that it said."""
        return f"{self.out}\n{self.err}"


class Desk:
    """A world with its server, and the commands that were started in it."""

    def __init__(self, folder, server):
        self.world = World.of(folder, None, server)
        self.server = server
        self.commands = []

    def start(self, *words):
        command = Command(self.world, *words)
        self.commands.append(command)
        return command

    def call(self, *words):
        """Start a command and wait for its end."""
        command = self.start(*words)
        command.ended()
        return command

    def at_gate(self, count):
        """Wait until so many requests stand at the gate."""
        assert until(lambda: self.server.waiting >= count, 30.0), f"{self.server.waiting} of {count}"

    def start_gated(self, run):
        """Start a run that waits at the gate, and return when it does."""
        waiting = self.server.waiting
        command = self.start("run", "gated", "--id", run)
        self.at_gate(waiting + 1)
        return command

    def wait_for_shut_door(self):
        """Wait until the engine has begun to end: it takes no visitors any more."""
        door = self.world.state / "engine.sock"
        assert until(lambda: not door.exists())

    def hold_posts(self):
        """Let posts wait at the gate; return an event that is set when one has arrived."""
        arrived = threading.Event()

        def hold():
            arrived.set()
            self.server.gate.wait(PATIENCE_SECONDS)

        self.server.struck = hold
        return arrived

    def journal_kinds(self, run):
        return [type(fact).__name__ for fact in self.world.journal(run)]


@contextmanager
def desk_in(folder):
    """Yield a desk, and leave no process of it behind."""
    with counting() as server:
        desk = Desk(folder, server)
        try:
            yield desk
        finally:
            for command in desk.commands:
                if command.lives:
                    command.send(signal.SIGKILL)
                command.close()
