"""A stack as its rows stand, without a plan: what outputs and configurations of providers see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dirigent.model.ids import split_path
from dirigent.model.record import dataclass
from dirigent.model.resource import Resource, ResourceRow, assemble
from dirigent.model.stack import Stack
from dirigent.model.values import Template, Unknown, Value
from dirigent.planning.expand import is_counted, is_keyed
from dirigent.planning.modules.layout import Layout, layout_of, seen
from dirigent.planning.modules.premises import Premises, Standing
from dirigent.planning.request import Asking
from dirigent.ports import Language


@dataclass(frozen=True, slots=True)
class Now:
    """What is asked: what `wanted` templates of the stack see. `absent` says what stands for no row."""

    stack: Stack
    constants: Mapping[str, Value]
    rows: Sequence[ResourceRow]
    language: Language
    wanted: Sequence[Template]
    absent: Callable[[Resource], Value]


def premises_now(now: Now) -> Asking[Premises]:
    """Return the places of a stack, as far as the wanted templates look. Raises `Refusal` (E2001-E2009)."""
    layout = layout_of(now.stack, now.language)
    if now.stack.modules:
        layout = _looked_at(now, layout)
    premises = Premises(layout, now.constants, now.language, None)
    rows: dict[str, dict[str, Value]] = {}
    for row in now.rows:
        if "#" not in row.address:
            module, local = split_path(row.address)
            rows.setdefault(module, {})[local] = row.attributes
    shown = {module: assemble(attributes) for module, attributes in rows.items()}
    for wave in layout.waves():
        yield from premises.advance(wave)
        for standing in premises.resources(wave):
            _stand(now, premises, standing, shown.get(standing.place.address, {}))
    return premises


def _looked_at(now: Now, layout: Layout) -> Layout:
    names = list(seen(now.wanted, layout.homes[""], now.language))
    return layout.below([name for name in names if name in layout.nodes])


def _stand(now: Now, premises: Premises, standing: Standing, shown: Mapping[str, Value]) -> None:
    value = shown[standing.local] if standing.local in shown else now.absent(standing.resource)
    if value is not None:
        premises.stand(standing, (), value)


def nothing_of(resource: Resource) -> Value:
    """Return an empty shape for a repeated resource, and nothing for another one."""
    return [] if is_counted(resource) else {} if is_keyed(resource) else None


def unknown_of(resource: Resource) -> Value:
    """Return an empty shape for a repeated resource; another one is unknown."""
    return Unknown((resource.name,)) if nothing_of(resource) is None else nothing_of(resource)
