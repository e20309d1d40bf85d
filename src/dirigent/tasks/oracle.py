"""The oracle: libjq in a worker process, for expressions beyond the in-process language.

The worker is a function of its question: killing it loses nothing, and a question that found it
dead is asked once more. A question that it does not answer in time is a fault, and so is every
question whose values it could not hold exactly.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import math
import os
import re
import struct
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from dirigent.jq import LANGUAGE
from dirigent.model.fault import EXPRESSION, Fault
from dirigent.model.limits import (
    EXPRESSION_RESULT_NODES,
    EXPRESSION_WORKER_BYTES,
    EXPRESSION_WORKER_SECONDS,
    PAYLOAD_BYTES,
    VALUE_DEPTH,
)
from dirigent.model.run.command import Question
from dirigent.model.values import SecretText, Unknown, Value
from dirigent.ports import Compiled, ExpressionFailed

_WORKER: Final = Path(__file__).with_name("oracle_worker.py")
_START_SECONDS: Final = 60.0
# A question may wait for the processor this many times as long as it may use it.
_STARVED: Final = 20
_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_FRAME_BYTES: Final = 16 * PAYLOAD_BYTES
_LENGTH: Final = struct.Struct("<I")
# Between these every integer is a double of its own; beyond them libjq would round without a word.
_SAFE: Final = 2**53 - 1
# Digits that may be an integer beyond that, or a float that jq would show with a needless `.0`.
_SUSPECT: Final = re.compile(r"\d{16}|\d\.0(?!\d)|\d[eE]")


class WorkerDied(Exception):
    """The pipe broke before the answer came."""


class JqOracle:
    """Answers questions one after the other (`ports.Oracle`). The worker starts with the first."""

    def __init__(self, seconds: float = EXPRESSION_WORKER_SECONDS) -> None:
        """Prepare; nothing is started. `seconds` is the processor time that one question may take."""
        self._seconds = seconds
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Return the process id of the worker, or None when there is none."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def answer(self, questions: Sequence[Question]) -> tuple[Value | Fault, ...]:
        """Return one answer for each question, in order."""
        return tuple([await self._answer(question) for question in questions])

    async def close(self) -> None:
        """End the worker and return when it is gone. A later question starts another."""
        async with self._turn:
            await self._end()

    async def _answer(self, question: Question) -> Value | Fault:
        try:
            text = question.expression.text
            compiled = LANGUAGE.compile(text)
            names = sorted(compiled.variables)
            asked = json.dumps([text, names]).encode()
            values = _written(_needed(question, compiled, names))
        except ExpressionFailed as failure:
            return _fault(str(failure))
        async with self._turn:
            return await self._ask_twice(asked, values)

    async def _ask_twice(self, asked: bytes, values: bytes) -> Value | Fault:
        """A worker that served others may have died of them: only a fresh one's death is the answer."""
        fresh = self.pid is None
        try:
            return await self._ask(asked, values)
        except WorkerDied:
            if fresh:
                return _fault("the expression needs more memory than it may have, or its worker was killed")
        try:
            return await self._ask(asked, values)
        except WorkerDied:
            return _fault("the expression needs more memory than it may have, or its worker was killed")

    async def _ask(self, asked: bytes, values: bytes) -> Value | Fault:
        """Put one question. Whatever ends this early, the worker ends with it: its pipe has no order left."""
        answered = False
        try:
            process = await self._started()
            answer = await self._patiently(process, _exchange(process, asked, values))
            answered = True
        except TimeoutError:
            return _fault(f"the expression takes longer than {self._seconds:g} seconds of the processor")
        finally:
            if not answered:
                await self._end()
        match answer:
            case ["value", value]:
                return value
            case ["fault", str(words)]:
                return _fault(_cleaned(words))
            case _:
                await self._end()
                return _fault("the expression worker gave no answer")

    async def _patiently(self, process: Process, exchange: Coroutine[None, None, Value]) -> Value:
        """Wait until the worker has used its time, not ours: on a busy machine no sound question may fail.

        Raises `TimeoutError`.
        """
        answering, before = asyncio.ensure_future(exchange), _cpu_seconds(process.pid)
        left = self._seconds
        try:
            for _ in range(_STARVED):
                done, _ = await asyncio.wait({answering}, timeout=left)
                if done:
                    return answering.result()
                left = self._seconds + before - _cpu_seconds(process.pid)
                if left <= 0:
                    break
            raise TimeoutError
        finally:
            answering.cancel()

    async def _started(self) -> Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        # `-I -S`: no user's or site's packages, no variables; the worker gets the library's file by name.
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", str(_WORKER), _settings(self._seconds),
            stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={}, cwd="/", start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(_START_SECONDS):
                await _read(process)
        except TimeoutError:
            raise WorkerDied from None
        return process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


def _cpu_seconds(pid: int) -> float:
    """Return what a process has used of the processor; without end when it is gone."""
    try:
        fields = Path("/proc", str(pid), "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return math.inf
    # The name stands in brackets as the second field; user and system time are the 14th and the 15th.
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


def _settings(seconds: float) -> str:
    spec = importlib.util.find_spec("jq")
    return json.dumps(
        {
            "library": spec.origin if spec else "",
            "parent": os.getpid(),
            "bytes": EXPRESSION_WORKER_BYTES,
            "seconds": math.ceil(seconds) + 1,
            "nodes": EXPRESSION_RESULT_NODES,
            "depth": VALUE_DEPTH,
            "safe": _SAFE,
        }
    )


async def _exchange(process: Process, asked: bytes, values: bytes) -> Value:
    if process.stdin is None:
        raise WorkerDied
    try:
        process.stdin.write(_LENGTH.pack(len(asked)) + asked + _LENGTH.pack(len(values)) + values)
        await process.stdin.drain()
    except OSError:
        raise WorkerDied from None
    return await _read(process)


async def _read(process: Process) -> Value:
    if process.stdout is None:
        raise WorkerDied
    try:
        (size,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
        if size > _FRAME_BYTES:
            return ["fault", f"the result is larger than {_FRAME_BYTES} bytes"]
        answer: Value = json.loads(await process.stdout.readexactly(size))
    except (asyncio.IncompleteReadError, OSError, ValueError):
        raise WorkerDied from None
    return answer


def _needed(question: Question, compiled: Compiled, names: list[str]) -> list[Value]:
    """Return the dot and the variables that the text names, each cut down to the members it takes."""
    return [question.dot, *(_variable(question.variables, name, compiled) for name in names)]


def _variable(variables: Mapping[str, Value], name: str, compiled: Compiled) -> Value:
    if name not in variables:
        raise ExpressionFailed(f"`${name}` is not defined here")
    value = variables[name]
    taken = {member for variable, member in compiled.references if variable == name}
    if None in taken or not isinstance(value, dict):
        return value
    return {member: item for member, item in value.items() if member in taken}


def _written(values: list[Value]) -> bytes:
    """Return the values as JSON, or raise `ExpressionFailed` for what the worker could not hold exactly."""
    try:
        text = json.dumps(values, default=_refuse, allow_nan=False, ensure_ascii=False)
        if _SUSPECT.search(text):
            text = json.dumps([_exact(value, VALUE_DEPTH + 1) for value in values], ensure_ascii=False)
        return text.encode()
    except RecursionError:
        raise ExpressionFailed(f"a value is nested deeper than {VALUE_DEPTH} levels") from None
    except ValueError:
        raise ExpressionFailed("a value holds a number or a character that JSON cannot hold") from None


def _refuse(value: SecretText | Unknown) -> Value:
    if isinstance(value, SecretText):
        raise ExpressionFailed(
            f"a secret cannot go through the expression worker: {value}; "
            "keep this expression to paths, `+` and text, or take the secret out of its input"
        )
    raise ExpressionFailed("a value is not known yet, and the expression worker needs it")


def _exact(value: Value, depth: int) -> Value:
    """Return the value with integral floats as integers; refuse integers that libjq would round."""
    if depth < 0:
        raise ExpressionFailed(f"a value is nested deeper than {VALUE_DEPTH} levels")
    match value:
        case list():
            return [_exact(item, depth - 1) for item in value]
        case dict():
            return {name: _exact(item, depth - 1) for name, item in value.items()}
        case int() if abs(value) > _SAFE:
            raise ExpressionFailed(
                f"the integer `{value}` is too large to be exact in the expression worker; pass it as text"
            )
        case float() if value.is_integer() and abs(value) <= _SAFE:
            return int(value)
        case _:
            return value


def _cleaned(words: str) -> str:
    """Return a message of libjq in one line, without its name and its place in the wrapped text."""
    return words.split("\n", maxsplit=1)[0].removeprefix("jq: error: ").split(" at <top-level>")[0]


def _fault(detail: str) -> Fault:
    return Fault(EXPRESSION, 400, title="Expression error", detail=detail)
