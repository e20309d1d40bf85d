"""The program of the expression worker: libjq behind a pipe, in a process that may be killed.

It is started as a script, isolated, without site packages or environment, and imports nothing of
Dirigent. One argument, JSON: `library` (file of the jq extension), `parent`, `bytes`, `seconds`, `nodes`,
`depth`, `safe`. Frames are a length (4 bytes, little endian) and JSON; a question is two frames: text and
names, then the values, dot first. An answer is a frame of `["value", value]` or `["fault", words]`.
"""

from __future__ import annotations

import ctypes
import importlib.util
import itertools
import json
import math
import os
import resource
import signal
import struct
import sys
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from importlib.machinery import ExtensionFileLoader
from typing import Final, Protocol, TypeAlias, cast

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_PROGRAMS: Final = 256
_PR_SET_PDEATHSIG: Final = 1
_LENGTH: Final = struct.Struct("<I")
_WORDS: Final = 400

# Shadows whatever looks outside, stops the process or reads a clock or a time zone.
_PRELUDE: Final = " ".join(
    [
        *(
            f'def {name}: error("{name} is not available in an expression");'
            for name in (
                "env",
                "halt",
                "halt_error",
                "halt_error(f)",
                "input",
                "inputs",
                "input_filename",
                "input_line_number",
                "modulemeta",
                "get_search_list",
                "get_jq_origin",
                "get_prog_origin",
                "debug",
                "debug(f)",
                "stderr",
            )
        ),
        "def localtime: gmtime; def strflocaltime(f): strftime(f);",
    ]
)


class _Bound(Protocol):
    def __iter__(self) -> Iterator[Json]: ...


class _Program(Protocol):
    def input_text(self, text: str) -> _Bound: ...


class _Library(Protocol):
    def compile(self, text: str, args: dict[str, Json] | None = None) -> _Program: ...


class Refused(Exception):
    """The question has no answer; the words say why."""


def program(library: _Library, text: str, names: list[str]) -> _Program:
    """Compile a text so that its variables arrive as an array with the dot first.

    The text is compiled alone first, behind a harmless stage: an unbalanced bracket cannot then
    escape the brackets that are put around it, and `import` is never the first word.
    """
    library.compile(f". |\n{text}", args=dict.fromkeys(names))
    now = "def now: $now;" if "now" in names else 'def now: error("now is not available here");'
    bound = ", ".join(f"${name}" for name in ["__dot", *names])
    return library.compile(f". as [{bound}] | {{}} as $ENV | {_PRELUDE} {now} $__dot | (\n{text}\n\n)")


def checked(results: Iterable[Json], nodes: int, depth: int, safe: int) -> Json:
    """Return null for no result, an array for several; refuse what is too large or not exact."""
    values = list(itertools.islice(results, nodes + 1))
    value: Json = values[0] if len(values) == 1 else values or None
    level: list[Json] = [value]
    for _ in range(depth + 1):
        below: list[Json] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, float | int) and not isinstance(item, bool):
                _exact(item, safe)
        nodes -= len(below)
        if nodes < 0:
            raise Refused("the result has too many values")
        if not below:
            return value
        level = below
    raise Refused(f"the result is nested deeper than {depth} levels")


def _exact(number: float, safe: int) -> None:
    if not math.isfinite(number) or (abs(number) > safe and float(number).is_integer()):
        raise Refused(f"the number {number:g} in the result is too large to be exact in the worker")


def _read(size: int) -> bytes:
    content = sys.stdin.buffer.read(size)
    if len(content) < size:
        sys.exit(0)
    return content


def _frame() -> str:
    return _read(_LENGTH.unpack(_read(_LENGTH.size))[0]).decode()


def _write(answer: list[Json]) -> None:
    content = json.dumps(answer, allow_nan=False).encode()
    sys.stdout.buffer.write(_LENGTH.pack(len(content)) + content)
    sys.stdout.buffer.flush()


def _confine(settings: dict[str, int]) -> None:
    """Die with the engine, leave no core file, and never take more memory than allowed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != settings["parent"]:
        sys.exit(0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (settings["bytes"], settings["bytes"]))


def _allow_seconds(seconds: int) -> None:
    """Bound the processor time of the next question, should nobody be left to kill this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _load(path: str) -> _Library:
    loader = ExtensionFileLoader("jq", path)
    spec = importlib.util.spec_from_file_location("jq", path, loader=loader)
    if spec is None:
        sys.exit(1)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return cast("_Library", module)


def _answer(library: _Library, programs: OrderedDict[str, _Program], settings: dict[str, int]) -> list[Json]:
    asked, values = _frame(), _frame()
    try:
        compiled = programs.get(asked)
        if compiled is None:
            text, names = json.loads(asked)
            compiled = programs[asked] = program(library, text, names)
            if len(programs) > _PROGRAMS:
                programs.popitem(last=False)
        programs.move_to_end(asked)
        results = compiled.input_text(values)
        return ["value", checked(results, settings["nodes"], settings["depth"], settings["safe"])]
    except (ValueError, Refused) as failure:
        return ["fault", str(failure)[:_WORDS]]
    except (MemoryError, RecursionError):
        return ["fault", "the expression needs more memory than it may have"]


def main() -> None:
    """Confine this process, say that it is ready, then answer until the pipe is closed."""
    settings = json.loads(sys.argv[1])
    _confine(settings)
    library = _load(settings["library"])
    programs: OrderedDict[str, _Program] = OrderedDict()
    _write(["ready", None])
    while True:
        _allow_seconds(settings["seconds"])
        _write(_answer(library, programs, settings))


if __name__ == "__main__":
    main()
