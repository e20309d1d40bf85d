"""Steps for tests: they note in a ledger outside of every store what truly happened."""

import os
import signal
import time
from pathlib import Path

from dirigent import step


def nothing(value=None):
    return value


def note(ledger, line):
    descriptor = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


def noted(ledger, line, seconds=0.0):
    note(ledger, f"begin {line}")
    time.sleep(seconds)
    note(ledger, f"end {line}")
    return line


def gated(ledger, line, gate):
    note(ledger, f"begin {line}")
    waits_for(gate)
    note(ledger, f"end {line}")
    return line


def meets(mine, other):
    Path(mine).touch()
    waits_for(other)
    return os.getpid()


def die(ledger=None):
    if ledger:
        note(ledger, "died")
    os.kill(os.getpid(), signal.SIGKILL)


def leave():
    raise SystemExit(3)


def fail(words):
    raise ValueError(words)


def strange():
    return object()


def chatty():
    print("this is no frame")
    return input() if False else "said"


def large(size):
    return "x" * size


def waits_for(path):
    while not Path(path).exists():
        time.sleep(0.01)
    return "seen"


@step
def doubled(number: int) -> int:
    return 2 * number


@step
async def tripled(number: int) -> int:
    return 3 * number
