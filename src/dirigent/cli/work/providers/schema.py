"""The work of `providers schema`."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from dirigent.app.protocols.extras import require
from dirigent.app.stacks import Surrounding
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import say_json
from dirigent.cli.waiting import wait_for
from dirigent.cli.work.providers.stack import surrounding
from dirigent.model.values import Value

SCHEMAS = "dirigent.app.protocols.schemas"
Ask: TypeAlias = Callable[[Surrounding, str], Awaitable[dict[str, Value]]]


def schema(options: Options) -> int:
    """Print schemas."""
    return wait_for(_schema(options))


async def _schema(options: Options) -> int:
    around = surrounding(options)
    require("a provider of OpenTofu", "tofu", "grpc", "google.protobuf", "cryptography")
    ask: Ask = importlib.import_module(SCHEMAS).schemas_of
    say_json(await ask(around, options.text("type_name")))
    return Exit.DONE
