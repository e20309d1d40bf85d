"""A stack as its rows stand, without a plan: what outputs and configurations of providers see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dirigent.model.ids import split_path
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow, assemble
from dirigent.model.stack import Stack
from dirigent.model.values import Template, Value, leaves
from dirigent.planning.modules.layout import Layout, bare_layout, layout_of, seen
from dirigent.planning.modules.premises import Premises
from dirigent.planning.request import Asking
from dirigent.planning.values.setups import absent
from dirigent.ports import Language


@dataclass(frozen=True, slots=True)
class Now:
    """What is asked: what `wanted` templates of the stack see."""

    stack: Stack
    constants: Mapping[str, Value]
    rows: Sequence[ResourceRow]
    language: Language
    wanted: Sequence[Template]


def premises_now(now: Now) -> Asking[Premises]:
    """Return the places of a stack, as far as the wanted templates look. Raises `Refusal` (E2001-E2009)."""
    if all(next(leaves(template), None) is None for template in now.wanted):
        # Nothing looks at anything: a large stack need not be gone through for that.
        return Premises(bare_layout(now.stack), now.constants, now.language, None)
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
        for each in premises.resources(wave):
            here = shown.get(each.place.address, {})
            premises.stand(each, (), here.get(each.local, absent(each.resource)))
    return premises


def _looked_at(now: Now, layout: Layout) -> Layout:
    names = list(seen(now.wanted, layout.homes[""], now.language))
    return layout.below([name for name in names if name in layout.nodes])
