"""The requests of `shell` and `script`, read: pure, strict, and with every secret where it may be.

Arguments are never parsed as part of a command line, and a secret never becomes an argument.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.model.values import SecretText, Value
from dirigent.ports import Vault

RETURNS: Final = ("stdout", "stderr", "code", "all", "none")
# The author places the arguments: `$1`, `${2}`, `$@`, `$*` or `$#` stands in the command.
PLACES_ARGUMENTS: Final = re.compile(r"\$\{?[@*#1-9]")


class Unfit(Exception):
    """A request cannot be carried out as it stands; the message says why."""


@dataclass(frozen=True, slots=True)
class Script:
    """A program text that is kept beside its output while it runs."""

    name: str
    code: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to run: `program`, then the path of the `script` if there is one, then `arguments`.

    `returned` says what of it is the result.
    """

    program: tuple[str, ...]
    arguments: tuple[str, ...]
    environment: dict[str, str]
    stdin: str | None
    awaited: bool
    returned: str
    script: Script | None = None


Program: TypeAlias = tuple[tuple[str, ...], Script | None]
# Reads what to run from a request; the arguments are given to look at only.
ProgramOf: TypeAlias = Callable[[dict[str, Value], list[str]], Program]


def read_request(request: Value, vault: Vault, program_of: ProgramOf) -> Recipe:
    """Return what a request says; secrets of `environment` and `stdin` are revealed. Raises `Unfit`."""
    if not isinstance(request, dict):
        raise Unfit(f"the request must be a map, and is {kind_of(request)}")
    returned, awaited = request.get("return", "stdout"), request.get("await", True)
    if returned not in RETURNS or not isinstance(returned, str):
        raise Unfit(f"`return` must be one of {', '.join(RETURNS)}, and is `{returned}`")
    if not isinstance(awaited, bool):
        raise Unfit(f"`await` must be true or false, and is {kind_of(awaited)}")
    arguments = _arguments(request.get("arguments"))
    program, script = program_of(request, arguments)
    try:
        environment = vault.reveal(request.get("environment") or {})
        stdin = vault.reveal(request.get("stdin"))
    except Refusal as refusal:
        raise Unfit(str(refusal)) from refusal
    if not isinstance(environment, dict):
        raise Unfit(f"`environment` must be a map, and is {kind_of(environment)}")
    variables = {_variable(name): _text(name, value) for name, value in environment.items()}
    text = None if stdin is None else _text("stdin", stdin)
    return Recipe(program, tuple(arguments), variables, text, awaited, returned, script)


def shell_program(request: dict[str, Value], arguments: list[str]) -> Program:
    """Return the shell with its command. Arguments follow the command unless it names their places itself."""
    command = plain_text("command", request.get("command"))
    if arguments and not PLACES_ARGUMENTS.search(command):
        command = f'{command.rstrip()} "$@"'
    return ("sh", "-c", command, "sh"), None


def plain_text(name: str, value: Value) -> str:
    """Return a text that must be there and hold no secret, or raise `Unfit`."""
    if not isinstance(value, str) or not value.strip():
        raise Unfit(f"`{name}` must be text, and is {kind_of(value)}")
    return _no_nul(value)


def _arguments(given: Value) -> list[str]:
    if given is None:
        return []
    if isinstance(given, dict):
        # The form of DSL 1.0.1 and before, computed; one that is written out is a list already.
        return [
            text
            for name, value in given.items()
            for text in ([_no_nul(name)] if value is None else [_no_nul(name), _argument(name, value)])
        ]
    if not isinstance(given, list):
        raise Unfit(f"`arguments` must be a list, and is {kind_of(given)}")
    return [_argument(f"arguments[{index}]", value) for index, value in enumerate(given)]


def _argument(name: str, value: Value) -> str:
    if isinstance(value, SecretText):
        # Every user of the machine can read the arguments of a process.
        raise Unfit(
            f"`{name}` holds {value}: a secret goes into `environment` or `stdin`, never into arguments"
        )
    return _text(name, value)


def _variable(name: str) -> str:
    if not name or "=" in name or "\0" in name:
        raise Unfit(f"`{name}` is not a name for an environment variable")
    return name


def _text(name: str, value: Value) -> str:
    match value:
        case str():
            return _no_nul(value) if name != "stdin" else value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            raise Unfit(f"`{name}` must be text, a number or a boolean, and is {kind_of(value)}")


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise Unfit("text for a command line or a variable cannot hold a NUL character")
    return text


def kind_of(value: Value) -> str:
    """Return words for a value that is not what it should be."""
    match value:
        case None:
            return "missing"
        case SecretText():
            return f"a secret ({value})"
        case list():
            return "a list"
        case dict():
            return "a map"
        case _:
            return f"`{value}`"
