"""The process in which steps run: one at a time, until its worker ends it or goes away.

It reads jobs from descriptor 0 and writes one result after each step, so its worker knows which step it
died of. What a step prints goes to standard error.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Final, Protocol, Self, TypeAlias, cast

import msgspec

from dirigent.model import fault as faults
from dirigent.model import limits
from dirigent.model.values import Value
from dirigent.workers.wire import HEAD_BYTES, Job, Result, nothing, pack, unpack

RECEIVED_BYTES: Final = 256 * 1024
# prctl(2): the kernel kills this process when its parent dies, however that happens.
_PR_SET_PDEATHSIG: Final = 1
FINAL_STATUS: Final = 422

Steps: TypeAlias = Callable[[Job], Value]
"""Does a step and returns its result, or raises `Broke`, or what the step raised."""


class Broke(Exception):
    """A step failed; `error` holds the members of the fault."""

    def __init__(self, error: dict[str, Value]) -> None:
        """Keep the error."""
        super().__init__(error.get("detail"))
        self.error = error


class _Function(Protocol):
    """What a module holds under the name of a step."""

    def __call__(self, *args: Value, **named: Value) -> object:
        """Do it."""
        ...


def plain_step(job: Job) -> Value:
    """Call a function of a module. Raises `Broke` where there is none, or its result is no JSON."""
    module, _, name = job.step.partition(":")
    try:
        found: object = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as failure:
        words = f"the worker finds no step `{job.step}`: {failure}"
        raise Broke(error_of("No Such Step", words, faults.CONFIGURATION, 400)) from None
    if not callable(found):
        raise Broke(error_of("No Such Step", f"`{job.step}` is no function", faults.CONFIGURATION, 400))
    return stored(cast("_Function", found)(*job.args, **job.named), job.step)


def stored(value: object, step: str) -> Value:
    """Return a result as JSON holds it, or raise `Broke`."""
    try:
        return cast("Value", msgspec.to_builtins(value, str_keys=True))
    except (TypeError, RecursionError) as failure:
        words = f"the result of `{step}` is no JSON: {failure}"
        raise Broke(error_of("Result Not Storable", words)) from None


def error_of(
    title: str, detail: str, kind: str = faults.RUNTIME, status: int = FINAL_STATUS
) -> dict[str, Value]:
    """Return the members of an error."""
    return {"type": kind, "status": status, "title": title, "detail": detail[: limits.FAULT_CHARACTERS]}


def raised(failure: BaseException) -> dict[str, Value]:
    """Return the error that an exception of a step is, with the line that raised it."""
    last = traceback.extract_tb(failure.__traceback__)[-1:]
    place = f" ({last[0].filename}:{last[0].lineno})" if last else ""
    return error_of(type(failure).__name__, f"{failure}{place}")


def result_of(job: Job, steps: Steps) -> Result:
    """Do one step and say how it ended, whatever it raises."""
    with _Attempt(job) as attempt:
        attempt.result = Result(job.token, "done", steps(job))
    return attempt.result


class _Attempt:
    """A block in which every exception of a step becomes its result; only leaving the process is more."""

    def __init__(self, job: Job) -> None:
        self._token = job.token
        self.result = Result(job.token, "broken", error_of("Stopped", "the step was stopped"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, failure: BaseException | None, trace: object) -> bool:
        if isinstance(failure, Broke):
            self.result = Result(self._token, "broken", cast("Value", failure.error))
        elif failure is not None:
            self.result = Result(self._token, "broken", cast("Value", raised(failure)))
        return isinstance(failure, Exception | SystemExit)


def frames(connection: socket.socket) -> Iterator[bytes]:
    """Yield the frames that come in, until the other side goes."""
    buffer = bytearray()
    while True:
        while len(buffer) >= HEAD_BYTES:
            end = HEAD_BYTES + int.from_bytes(buffer[:HEAD_BYTES], "big")
            if len(buffer) < end:
                break
            frame = bytes(buffer[HEAD_BYTES:end])
            del buffer[:end]
            yield frame
        received = connection.recv(RECEIVED_BYTES)
        if not received:
            return
        buffer += received


def serve(folders: list[str], steps: Steps) -> None:
    """Do the steps that come in at descriptor 0, until it is closed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the worker's affair, which ends us in order.
    connection = socket.socket(fileno=os.dup(0))
    # Steps may read and print as they like: neither is the wire.
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.dup2(2, 1)
    sys.path[:0] = folders
    for frame in frames(connection):
        for job in unpack(frame).do:
            answer = nothing()
            answer.done.append(result_of(job, steps))
            connection.sendall(pack(answer))


def main() -> None:
    """Serve with plain functions; the arguments are the folders in which modules are looked for."""
    serve(sys.argv[1:], plain_step)
