"""The supervisor of one command: claims its order, runs it once, keeps its output and its end.

Before the claim nothing has happened and anybody may start again. After it, either `status.json`
tells the end, or this process lives, or nobody can say. The environment and the standard input
come through our own standard input and are never written down.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time

from dirigent.shim import child, files, pulse

CHUNK_BYTES = 64 * 1024
# How long an escaped descendant may hold an output pipe open after everything was killed.
LINGER_SECONDS = 1.0


class Capture:
    """One output stream: the first bytes go to a file, the rest is read and dropped."""

    def __init__(self, path: str, limit_bytes: int) -> None:
        """Open the file and a pipe; `inlet` is the end that the command writes to."""
        self.outlet, self.inlet = os.pipe()
        os.set_blocking(self.outlet, False)
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, files.FILE_MODE)
        self.room_bytes = limit_bytes
        self.truncated = False
        self.open = True

    def drain(self) -> None:
        """Read what is there. Always, even beyond the limit: a full pipe would block the command."""
        try:
            while chunk := os.read(self.outlet, CHUNK_BYTES):
                kept = chunk[: self.room_bytes]
                self.room_bytes -= len(kept)
                self.truncated = self.truncated or len(kept) < len(chunk)
                while kept:
                    kept = kept[os.write(self.file, kept) :]
        except BlockingIOError:
            return
        self.open = False

    def seal(self) -> None:
        """Make the file durable."""
        os.fsync(self.file)


class Supervision:
    """One command while it runs. `code` and `number` are its exit code or the signal that ended it."""

    def __init__(self, spool: str, order: dict[str, object]) -> None:
        """Prepare the captures and the wake-up pipe; nothing runs yet."""
        self.spool = spool
        limit = order["output_bytes"]
        limit_bytes = limit if isinstance(limit, int) else 0
        self.captures = tuple(
            Capture(os.path.join(spool, name), limit_bytes) for name in ("stdout", "stderr")
        )
        self.woken, wake = os.pipe()
        for end in (self.woken, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _noted)
        signal.signal(signal.SIGTERM, _noted)
        self.leader = 0
        self.raw_status: int | None = None
        self.childless = False
        self.stopped = False
        self.deadline: float | None = None

    def run(self, argv: list[str], environment: dict[str, str], folder: str, stdin: int) -> None:
        """Run the command to its end, or until it is stopped; raises `OSError` when it cannot start."""
        out, err = self.captures
        self.leader = child.start_child(argv, environment, folder, (stdin, out.inlet, err.inlet))
        for capture in self.captures:
            os.close(capture.inlet)
        while not self._over():
            self._turn()
            if self.raw_status is not None and not self.stopped:
                break
        self._finish()

    def _over(self) -> bool:
        late = self.deadline is not None and time.monotonic() >= self.deadline
        return late or (self.raw_status is not None and self.childless)

    def _turn(self, patience_seconds: float | None = None) -> None:
        poller = select.poll()
        poller.register(self.woken, select.POLLIN)
        for capture in self.captures:
            if capture.open:
                poller.register(capture.outlet, select.POLLIN | select.POLLHUP)
        if self.deadline is not None:
            patience_seconds = max(0.0, self.deadline - time.monotonic())
        ready = {descriptor for descriptor, _ in poller.poll(_milliseconds(patience_seconds))}
        for capture in self.captures:
            if capture.outlet in ready:
                capture.drain()
        if self.woken in ready:
            for number in os.read(self.woken, 512):
                if number == signal.SIGTERM:
                    self._stop()
            self._reap()

    def _stop(self) -> None:
        if self.stopped:
            return
        self.stopped = True
        wish = files.read_record(os.path.join(self.spool, "stop.json")) or {}
        grace = wish.get("grace_seconds")
        self.deadline = time.monotonic() + (grace if isinstance(grace, int | float) else 0.0)
        child.signal_group(self.leader, signal.SIGTERM)

    def _reap(self) -> None:
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self.leader:
                    self.raw_status = status
        except ChildProcessError:
            self.childless = True

    def _finish(self) -> None:
        """Nothing may outlive the end that we are about to record: kill, reap, and read the rest."""
        give_up = time.monotonic() + LINGER_SECONDS
        self.deadline = None
        while not self.childless and time.monotonic() < give_up:
            child.signal_group(self.leader, signal.SIGKILL)
            child.kill_descendants()
            self._reap()
            if not self.childless:
                self._turn(0.01)
        for capture in self.captures:
            if capture.open:
                capture.drain()
            capture.seal()


def main(arguments: list[str], ready: int) -> None:
    """Supervise the command of one spool directory. `ready` is closed when the claim is durable."""
    spool = arguments[0]
    order = files.read_record(os.path.join(spool, "order.json"))
    try:
        private = json.loads(sys.stdin.buffer.read())
    except ValueError:
        return  # Whoever started us died before it had told us all: nothing has happened.
    if order is None or os.path.exists(os.path.join(spool, "claim.json")):
        return
    child.adopt_descendants()
    supervision = Supervision(spool, order)
    if not files.write_once(os.path.join(spool, "claim.json"), files.encode(pulse.mark_of(os.getpid()))):
        return
    os.close(ready)
    _supervise(supervision, order, private)


def _supervise(supervision: Supervision, order: dict[str, object], private: dict[str, object]) -> None:
    status: dict[str, object] = {"started_at": time.time(), "code": None, "signal": None, "error": None}
    argv, environment = order["argv"], private["environment"]
    if not isinstance(argv, list) or not isinstance(environment, dict):
        raise TypeError("an order holds a list of arguments and a map of variables")
    try:
        supervision.run(argv, environment, str(order["folder"]), _input(private["stdin"]))
    except OSError as reason:
        status["error"] = f"{reason.strerror}: {reason.filename}"
    if supervision.raw_status is not None:
        code = os.waitstatus_to_exitcode(supervision.raw_status)
        status["code" if code >= 0 else "signal"] = abs(code)
    out, err = supervision.captures
    status["stdout_truncated"], status["stderr_truncated"] = out.truncated, err.truncated
    status["stopped"], status["ended_at"] = supervision.stopped, time.time()
    files.write_durably(os.path.join(supervision.spool, "status.json"), files.encode(status))


def _input(text: object) -> int:
    """Return a descriptor to read the standard input from; it exists in memory only."""
    if not isinstance(text, str):
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    descriptor = os.memfd_create("stdin", os.MFD_CLOEXEC)
    content = text.encode("utf-8", "surrogateescape")
    while content:
        content = content[os.write(descriptor, content) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _noted(_number: int, _frame: object) -> None:
    """Let the wake-up pipe tell the loop; a signal without any Python function would not be written to it."""


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1000) + 1
