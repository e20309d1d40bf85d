"""What the providers of a stack offer, asked of their programs."""

from __future__ import annotations

import os
from pathlib import Path

from dirigent.app.protocols import tofu
from dirigent.app.stacks import Surrounding
from dirigent.lang.shape import nearest
from dirigent.model.problem import Refusal, refuse
from dirigent.model.stack import ProviderSetup
from dirigent.model.values import Value
from dirigent.providers.tofu.finding.installed import installed
from dirigent.providers.tofu.finding.places import places_of
from dirigent.providers.tofu.lifecycle.session import Refused
from dirigent.providers.tofu.process.connection import CallBroken, CallUnknown
from dirigent.providers.tofu.process.launch import NotStarted
from dirigent.providers.tofu.provider.pool import Pool, Program
from dirigent.providers.tofu.schema.reading import Schemas
from dirigent.providers.tofu.schema.writing import schemas_json
from dirigent.providers.tofu.values.types import NoType

FORMAT = "1.0"


async def schemas_of(around: Surrounding, type_name: str) -> dict[str, Value]:
    """Return the schemas of the providers of a stack, or of one type, as `tofu providers schema -json` does.

    Raises:
        Refusal: E3037 a provider does not tell, E3039 there is no such type, and as `installed` does.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    declared = [each for each in around.stack.providers.values() if not each.of] if around.stack else []
    prefix = type_name.partition("_")[0]
    asked = [each for each in declared if not type_name or each.name == prefix]
    if type_name and not asked:
        raise _no_type(type_name, [each.name for each in declared])
    pool = tofu.pool_of(around)
    try:
        found = {each.source: await _asked(each, around.folder, pool) for each in asked}
    finally:
        await pool.close()
    if type_name:
        known = sorted({name for each in found.values() for name in (*each.resources, *each.sources)})
        if type_name not in known:
            raise _no_type(type_name, known)
    written: dict[str, Value] = {source: schemas_json(each, type_name) for source, each in found.items()}
    return {"format_version": FORMAT, "provider_schemas": written}


async def _asked(setup: ProviderSetup, folder: Path, pool: Pool) -> Schemas:
    found = installed(setup, places_of(folder, os.environ))
    program = Program(found.source, str(found.program), found.digest, found.version)
    try:
        return await pool.schemas(program)
    except (NotStarted, CallBroken, CallUnknown, Refused, NoType, ValueError, KeyError) as error:
        raise refuse(
            "E3037",
            f"the provider `{setup.name}` does not tell its schema: {error}",
            "its own words stand above; another version of it may",
            at=setup.span,
        ) from None


def _no_type(type_name: str, known: list[str]) -> Refusal:
    meant = nearest(type_name, known)
    shown = f"did you mean `{meant}`?" if meant else f"there are {', '.join(known[:20]) or 'no providers'}"
    return refuse("E3039", f"no provider of the stack has a type `{type_name}`", shown)
