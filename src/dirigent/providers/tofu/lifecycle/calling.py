"""The calls of a provider's functions: pure, so they may be asked before the provider is configured."""

from __future__ import annotations

import json
from collections.abc import Mapping

from dirigent.model.values import Value
from dirigent.providers.tofu.lifecycle.session import Session, sound
from dirigent.providers.tofu.process.connection import CallUnknown
from dirigent.providers.tofu.schema.functions import Arguments, Function, read_functions
from dirigent.providers.tofu.values.coding import decode, encode
from dirigent.providers.tofu.values.stored import restored
from dirigent.providers.tofu.wire import calls


class FunctionFailed(Exception):
    """A function refused its arguments; `argument` is the one that it means, None for none of them."""

    def __init__(self, text: str, argument: int | None = None) -> None:
        """Say why, and which argument is to blame."""
        super().__init__(text)
        self.argument = argument


async def functions(session: Session) -> Mapping[str, Function]:
    """Return the functions that a provider tells only when it is asked for them. Raises `Refused`."""
    try:
        answer = await session.connection.call(calls.FUNCTIONS, session.connection.message("Empty"))
    except CallUnknown:
        return {}
    sound(answer)
    return read_functions(answer.functions)


async def called(session: Session, name: str, function: Function, given: Arguments) -> Value:
    """Return the result of a call. Raises `FunctionFailed`."""
    request = session.connection.message("CallFunction.Request")
    request.name = name
    for value, kind in zip(given.values, given.types, strict=True):
        request.arguments.add().msgpack = encode(value, kind)
    answer = await session.connection.call(calls.CALL, request)
    if answer.HasField("error"):
        error = answer.error
        place = int(error.function_argument) if error.HasField("function_argument") else None
        raise FunctionFailed(str(error.text).strip(), place)
    if answer.result.msgpack:
        return decode(answer.result.msgpack, function.returns)
    return restored(json.loads(answer.result.json), function.returns) if answer.result.json else None
