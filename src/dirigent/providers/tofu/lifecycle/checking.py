"""What a plan of a provider may say, and what an apply may make of it. One that lies is found out here.

A provider of the old kit says so itself (`legacy_type_system`): of it the same is told as warnings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from dirigent.model.values import Unknown, Value, has_unknown
from dirigent.providers.tofu.lifecycle.proposing import same
from dirigent.providers.tofu.schema.shape import Attribute, Block, NestedBlock, Nesting
from dirigent.providers.tofu.values.paths import Misfit, Path

Members: TypeAlias = Mapping[str, Value]


def check_plan(
    block: Block, prior: Members | None, config: Members, planned: Members, path: Path = ()
) -> Iterator[Misfit]:
    """Yield what a planned state says that neither the configuration nor the prior state allows."""
    past = prior or {}
    for name, attribute in block.attributes.items():
        yield from _attribute(attribute, past.get(name), config.get(name), (planned.get(name), (*path, name)))
    for name, nested in block.blocks.items():
        yield from _nested(nested, past.get(name), config.get(name), (planned.get(name), (*path, name)))


def check_kept(planned: Value, actual: Value, path: Path = ()) -> Iterator[Misfit]:
    """Yield where a value is not the one that was promised; what was unknown may have become anything.

    So a new state is compared with its plan, and a plan made again with the one that was approved.
    """
    match planned, actual:
        case Unknown(), _:
            return
        case dict(), dict():
            for name in (*planned, *(name for name in actual if name not in planned)):
                yield from check_kept(planned.get(name), actual.get(name), (*path, name))
        case list(), list() if has_unknown(planned):
            if len(planned) > len(actual):
                yield Misfit(path, f"was to have {len(planned)} elements, and has {len(actual)}")
        case list(), list() if len(planned) == len(actual):
            for at, (before, after) in enumerate(zip(planned, actual, strict=True)):
                yield from check_kept(before, after, (*path, at))
        case _:
            if not same(planned, actual):
                yield Misfit(path, "is not what was planned")


Planned: TypeAlias = tuple[Value, Path]


def _attribute(attribute: Attribute, prior: Value, config: Value, given: Planned) -> Iterator[Misfit]:
    planned, path = given
    if attribute.write_only:
        if planned is not None:
            yield Misfit(path, "is write-only, and the plan keeps it")
        return
    if same(planned, config) or (config is not None and prior is not None and same(planned, prior)):
        return
    if isinstance(config, Unknown) or (attribute.computed and config is None):
        return
    if attribute.nested is not None and planned is not None and config is not None:
        inner = NestedBlock(attribute.name, Block(attribute.nested.attributes), attribute.nested.nesting)
        yield from _nested(inner, prior, config, given)
        return
    yield Misfit(path, "is planned as neither the configuration nor the prior state has it")


def _nested(nested: NestedBlock, prior: Value, config: Value, given: Planned) -> Iterator[Misfit]:
    planned, path = given
    match nested.nesting, config, planned:
        case (_, Unknown(), _) | (_, _, Unknown()):
            return
        case ((Nesting.SINGLE | Nesting.GROUP), dict(), dict()):
            past = prior if isinstance(prior, dict) else None
            yield from check_plan(nested.block, past, config, planned, path)
        case Nesting.MAP, dict(), dict() if config.keys() == planned.keys():
            known = prior if isinstance(prior, dict) else {}
            for key, each in config.items():
                yield from _element(nested, known.get(key), each, (planned[key], (*path, key)))
        case Nesting.LIST, list(), list() if len(config) == len(planned):
            was = prior if isinstance(prior, list) else []
            for at, each in enumerate(config):
                yield from _element(
                    nested, was[at] if at < len(was) else None, each, (planned[at], (*path, at))
                )
        # Which element of a set is which cannot be told; only their number can.
        case Nesting.SET, list(), list() if len(config) == len(planned):
            return
        case _:
            if not same(config, planned):
                yield Misfit(path, "has other blocks in the plan than in the configuration")


def _element(nested: NestedBlock, prior: Value, config: Value, given: Planned) -> Iterator[Misfit]:
    planned, path = given
    if isinstance(config, dict) and isinstance(planned, dict):
        past = prior if isinstance(prior, dict) else None
        yield from check_plan(nested.block, past, config, planned, path)
