"""The work of `move`, `forget` and `import`: one errand, shown, agreed to, and applied."""

from __future__ import annotations

from dirigent.cli.given import Options
from dirigent.cli.session import around, opened
from dirigent.cli.waiting import wait_for
from dirigent.cli.work.change import changed
from dirigent.model.ids import canonical
from dirigent.model.stack import Adoption, Errand, Move, Release
from dirigent.service.changes import Aim
from dirigent.service.plans import How


def move(options: Options) -> int:
    """Give what stands another name."""
    source, to = canonical(options.text("source")), canonical(options.text("to"))
    return _alone(Errand(moves=(Move(source, to),)), options)


def forget(options: Options) -> int:
    """Let go of what stands."""
    releases = tuple(Release(canonical(address)) for address in options.many("addresses"))
    return _alone(Errand(releases=releases), options)


def take_over(options: Options) -> int:
    """Take over what exists."""
    session = opened(options)
    errand = Errand(adoption=Adoption(canonical(options.text("to")), options.text("id")))
    aim = Aim(session.stack.name, session.stack, session.inputs, how=How(errand=errand))
    return wait_for(changed(session.surrounding, aim, options))


def _alone(errand: Errand, options: Options) -> int:
    """Do what needs no stack: only our own rows change."""
    surrounding = around(options)
    name = surrounding.stack.name if surrounding.stack is not None else ""
    return wait_for(changed(surrounding, Aim(name, how=How(errand=errand)), options))
