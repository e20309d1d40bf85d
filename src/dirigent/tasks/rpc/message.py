"""Messages of JSON-RPC 2.0: what is sent, and what an answer means. Pure.

Rule: an error that the server states is definite, so it leaves no doubt; it is a runtime error.
"""

from __future__ import annotations

import json
from typing import Final

from dirigent.model.fault import RUNTIME, Fault
from dirigent.model.values import Value
from dirigent.tasks.http.answer import excerpt, json_of
from dirigent.tasks.http.failure import CallFailed, broken, malformed

VERSION: Final = "2.0"
METHOD_NOT_FOUND: Final = -32601


def request(method: str, params: Value, key: str) -> dict[str, Value]:
    """Return a request that wants an answer under `key`; params None are left out."""
    message: dict[str, Value] = {"jsonrpc": VERSION, "id": key, "method": method}
    return message if params is None else {**message, "params": params}


def notification(method: str, params: Value = None) -> dict[str, Value]:
    """Return a message that nobody answers."""
    message: dict[str, Value] = {"jsonrpc": VERSION, "method": method}
    return message if params is None else {**message, "params": params}


def written(message: dict[str, Value]) -> bytes:
    """Return the bytes of a message, on one line and in the order of names: the same on every attempt."""
    try:
        text = json.dumps(message, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
        return text.encode()
    except (ValueError, TypeError, RecursionError):
        raise malformed("the parameters cannot be written as JSON") from None


def messages_of(content: bytes, place: str) -> list[dict[str, Value]]:
    """Return the message in a text, or those of a batch; raise `CallFailed` for anything else."""
    try:
        value = json_of(content)
    except ValueError as error:
        raise broken(f"`{place}` sent what is not JSON: {error}") from None
    found = value if isinstance(value, list) else [value]
    messages = [each for each in found if isinstance(each, dict) and each.get("jsonrpc") == VERSION]
    if not messages or len(messages) != len(found):
        raise broken(f"`{place}` sent JSON that is not JSON-RPC {VERSION}")
    return messages


def is_answer(message: dict[str, Value], key: str) -> bool:
    """Return whether a message answers the request of that key, or says that it could not be read."""
    answers = "method" not in message and ("result" in message or "error" in message)
    return answers and (message.get("id") == key or (message.get("id") is None and "error" in message))


def reply_to(message: dict[str, Value]) -> dict[str, Value] | None:
    """Return what a server's own request is answered with; None for what wants no answer.

    We offer nothing to servers: a ping is answered, all else is unknown here.
    """
    method, key = message.get("method"), message.get("id")
    if method is None or key is None:
        return None
    if method == "ping":
        return {"jsonrpc": VERSION, "id": key, "result": {}}
    error: dict[str, Value] = {"code": METHOD_NOT_FOUND, "message": "Method not found"}
    return {"jsonrpc": VERSION, "id": key, "error": error}


def result_of(message: dict[str, Value]) -> Value:
    """Return the result of an answer, or raise `CallFailed` with the error that it states."""
    error = message.get("error")
    if error is None:
        return message.get("result")
    raise CallFailed(Fault(RUNTIME, 500, "Call failed", f"answered with the error {_told(error)}"))


def _told(error: Value) -> str:
    """Return an error for people. Its data may be anything, so only the beginning is shown."""
    if not isinstance(error, dict):
        return excerpt(json.dumps(error))
    told = f"{error.get('code')}: {excerpt(str(error.get('message', '')))}"
    more = error.get("data")
    return told if more is None else f"{told} ({excerpt(json.dumps(more, ensure_ascii=False, default=str))})"
