"""The work of `move`, `forget` and `import`: one errand, shown, agreed to, and applied."""

from __future__ import annotations

from contextlib import suppress

from dirigent.cli.given import Options
from dirigent.cli.session import around, opened
from dirigent.cli.stack.reading import inputs as given_inputs
from dirigent.cli.waiting import wait_for
from dirigent.cli.work.change import changed
from dirigent.model.ids import canonical
from dirigent.model.problem import Refusal
from dirigent.model.stack import Adoption, Errand, Move, Release
from dirigent.model.values import Value
from dirigent.service.changes import Aim
from dirigent.service.plans import How


def move(options: Options) -> int:
    """Give what stands another name."""
    source, to = canonical(options.text("source")), canonical(options.text("to"))
    surrounding = around(options)
    stack = surrounding.stack
    inputs: dict[str, Value] = {}
    if stack is not None:
        # Who only gives another name wants none of them; where a provider does, it says so.
        with suppress(Refusal):
            inputs = given_inputs(options, stack)
    # Only the stack says whether it is to have another type there.
    how = How(errand=Errand(moves=(Move(source, to),)))
    aim = Aim(stack.name if stack is not None else "", stack, inputs, how=how)
    return wait_for(changed(surrounding, aim, options))


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
