"""The checking of `dirigent.lang.schema`, for which the validator is needed.

Compiled schemas are cached by their canonical text; patterns run with a bound on backtracking.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Final, NoReturn

import jsonschema_rs

from dirigent.model import limits
from dirigent.model.values import SecretText, Unknown, Value

_COMPILED_MAX: Final = 512
_BACKTRACKS_MAX: Final = 100_000
_SHOWN_CHARACTERS: Final = 300
_TOO_DEEP: Final = f"is nested more than {limits.VALUE_DEPTH} levels deep"


def violation(schema: Value, value: Value) -> str | None:
    """Return the first violation in words with its path, or None when the value is valid."""
    fault = schema_fault(schema)
    if fault is not None:
        return f"the schema is not valid: {fault}"
    shown = _as_json(value)
    if shown is _DEEP:
        return f"the value {_TOO_DEEP}"
    for error in _validator(_canonical(schema)).iter_errors(shown):
        path = _path([str(part) if isinstance(part, str) else part for part in error.instance_path])
        message = _cut(error.message)
        return f"`{path}`: {message}" if path else message
    return None


def schema_fault(schema: Value) -> str | None:
    """Return why a schema itself is not valid, as an unknown type or a remote reference; None if it is."""
    if not isinstance(schema, dict | bool):
        return "a schema must be a mapping"
    shown = _as_json(schema)
    if shown is _DEEP:
        return f"it {_TOO_DEEP}"
    try:
        _validator(json.dumps(shown, sort_keys=True))
    except jsonschema_rs.ValidationError as error:
        path = _path([str(part) if isinstance(part, str) else part for part in error.instance_path])
        message = _cut(error.message)
        return f"`{path}`: {message}" if path else message
    except (ValueError, RecursionError) as error:
        return _cut(str(error))
    return None


class _Deep:
    """Marks a value that is nested too deeply for the validator."""


_DEEP: Final = _Deep()


def _canonical(schema: Value) -> str:
    return json.dumps(_as_json(schema), sort_keys=True)


@lru_cache(maxsize=_COMPILED_MAX)
def _validator(text: str) -> jsonschema_rs.Validator:
    options = jsonschema_rs.FancyRegexOptions(backtrack_limit=_BACKTRACKS_MAX)
    return jsonschema_rs.validator_for(json.loads(text), retriever=_refuse_remote, pattern_options=options)


def _refuse_remote(uri: str, /) -> NoReturn:
    message = f"`{uri}` lies outside of the document, and nothing is fetched"
    raise ValueError(message)


def _as_json(value: Value, depth: int = 0) -> object:
    """Return plain JSON: a secret as the text that may be shown, what is unknown as null."""
    if depth > limits.VALUE_DEPTH:
        return _DEEP
    if isinstance(value, SecretText):
        return str(value)
    if isinstance(value, Unknown):
        return None
    if isinstance(value, list):
        items = [_as_json(item, depth + 1) for item in value]
        return _DEEP if _DEEP in items else items
    if isinstance(value, dict):
        members = {key: _as_json(item, depth + 1) for key, item in value.items()}
        return _DEEP if any(item is _DEEP for item in members.values()) else members
    return value


def _path(parts: list[str | int]) -> str:
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _cut(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= _SHOWN_CHARACTERS else line[: _SHOWN_CHARACTERS - 1] + "…"
