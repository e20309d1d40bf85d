"""A fork server for lives of any kind: everything is imported once, each life is a fork.

An order is a line of JSON that names a function and its one argument; the answer is the process. A
second order waits for its end. What a life leaves behind becomes a child of the server.
"""

import ctypes
import importlib
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import dirigent

PR_SET_CHILD_SUBREAPER = 36
ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 60.0
DEFECT = 70


def serve():
    """Serve until the orders end."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "cannot adopt orphans")
    for module in pkgutil.walk_packages(dirigent.__path__, "dirigent."):
        if not module.name.endswith(("__main__", "worker", ".launch")):
            importlib.import_module(module.name)
    for line in sys.stdin:
        order = json.loads(line)
        answer = _wait(order["wait"]) if "wait" in order else _fork(order)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _fork(order):
    module, _, name = order["make"].partition(":")
    live = getattr(importlib.import_module(module), name)
    pid = os.fork()
    if not pid:
        with _Grave():
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(os.open(order["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
            os.dup2(os.open(order["out"], os.O_WRONLY), 1)
            live(order["with"])
    return pid


class _Grave:
    """The end of a fork: whatever ends its life, it goes no further than here."""

    def __enter__(self):
        return self

    def __exit__(self, kind, failure, trace):
        if kind is not None and not issubclass(kind, SystemExit):
            sys.excepthook(kind, failure, trace)
        sys.stderr.flush()
        os._exit(getattr(failure, "code", DEFECT) if failure else 0)


def _wait(pid):
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return code


class Life:
    """One life that was begun. What it says is read line by line."""

    def __init__(self, nursery, pid, voice, err):
        self.nursery, self.pid, self.voice, self.err = nursery, pid, voice, err
        self.heard = b""

    def hear(self):
        """Hear what comes next; return whether there is more to come."""
        if not select.select([self.voice], [], [], PATIENCE_SECONDS)[0]:
            raise AssertionError(f"nothing is heard of {self.pid}: {self.heard[-300:]!r} {self.told()}")
        heard = os.read(self.voice, 65536)
        self.heard += heard
        return bool(heard)

    def hear_lines(self, count):
        """Hear so many lines, or all there are; return whether there were as many."""
        while self.heard.count(b"\n") < count:
            if not self.hear():
                return False
        return True

    def kill(self):
        """Kill it, if it lives."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def ended(self):
        """Hear the rest; return the exit code, a signal as a negative number."""
        while self.hear():
            pass
        os.close(self.voice)
        return self.nursery.ask({"wait": self.pid})

    def told(self):
        """Return what it wrote for people, such as a traceback."""
        return Path(self.err).read_text()


class Nursery:
    """The test's side of the fork server."""

    def __init__(self, folder, checkout=None):
        """Have lives of this code, or of that in another checkout; what it lacks is taken from here."""
        self.folder = Path(tempfile.mkdtemp(dir=folder))
        self.pipe = self.folder / "voice"
        os.mkfifo(self.pipe, 0o600)
        self.lives = 0
        environment = {
            **os.environ,
            "PYTHONPATH": f"{checkout or ROOT}/src:{checkout or ROOT}/tests:{ROOT / 'tests'}",
            "NO_COLOR": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from storms.rig.nursery import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )

    def ask(self, order):
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], PATIENCE_SECONDS)[0]:
            raise AssertionError(f"no answer to {order}")
        return json.loads(self.process.stdout.readline())

    def begin(self, make, order):
        """Begin a life: `make` names a function, `order` is what it gets."""
        self.lives += 1
        err = str(self.folder / f"err-{self.lives}")
        voice = os.open(self.pipe, os.O_RDONLY | os.O_NONBLOCK)
        # A writer of our own until the life has opened its end: a pipe without writers has ended.
        open_until_then = os.open(self.pipe, os.O_WRONLY)
        os.set_blocking(voice, True)
        pid = self.ask({"make": make, "with": order, "out": str(self.pipe), "err": err})
        life = Life(self, pid, voice, err)
        life.hear_lines(1)  # every life says first that it is there
        os.close(open_until_then)
        return life

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
