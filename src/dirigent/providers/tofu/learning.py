"""Ask a provider once what types it has: it is started without a configuration, and ended at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from dirigent.model import limits
from dirigent.providers.tofu.lifecycle.session import Refused, opened
from dirigent.providers.tofu.process.connection import CallBroken, CallUnknown, connected
from dirigent.providers.tofu.process.launch import NotStarted, launched
from dirigent.providers.tofu.schema.functions import parameters_of
from dirigent.providers.tofu.schema.kept import Kept
from dirigent.providers.tofu.schema.shape import Schema
from dirigent.providers.tofu.values.types import NoType


class Unlearned(Exception):
    """A provider did not say what types it has; the message says why, as the end of a sentence about it."""


async def learned(program: str, environment: Mapping[str, str]) -> Kept:
    """Return the schemas of a provider. Raises `Unlearned`."""
    try:
        async with (
            asyncio.timeout(limits.PROVIDER_SCHEMA_SECONDS),
            launched(program, environment) as plugin,
            connected(plugin) as connection,
        ):
            schemas = (await opened(connection)).schemas
    except TimeoutError:
        words = f"it did not answer within {limits.PROVIDER_SCHEMA_SECONDS:g} seconds"
        raise Unlearned(words) from None
    except (NotStarted, CallBroken, CallUnknown, Refused) as error:
        raise Unlearned(str(error)) from None
    except (NoType, ValueError, KeyError) as error:
        raise Unlearned(f"its answer makes no sense: {error}") from None
    functions = {name: Schema(0, parameters_of(each)) for name, each in schemas.functions.items()}
    return Kept(schemas.provider, schemas.resources, schemas.sources, schemas.ephemerals, functions)
