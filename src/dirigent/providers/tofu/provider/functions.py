"""A function of a provider, called where a plan looks something up: `{call: NAME::FUNCTION, with: {...}}`.

Rule: it is pure. It is called while planning as soon as its arguments are known, and again in the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dirigent.model.problem import Problem, Refusal
from dirigent.model.values import Unknown, Value, has_unknown
from dirigent.ports.resources import Proposal
from dirigent.providers.tofu.lifecycle.calling import FunctionFailed, called, functions
from dirigent.providers.tofu.lifecycle.session import Session
from dirigent.providers.tofu.provider.conversation import Conversation
from dirigent.providers.tofu.provider.fleeting.naming import refuse_kept
from dirigent.providers.tofu.provider.rows import Kept
from dirigent.providers.tofu.schema.functions import Arguments, Function, arguments, takes

RESULT: Final = "result"
"""The attribute under which the result of a call is found."""

_APART: Final = "::"


async def call(talk: Conversation, named: str, config: Mapping[str, Value]) -> Proposal:
    """Return the result of a call; it is unknown where what it is made of is.

    Raises:
        Refusal: E3016 there is no such function, E3045 an ephemeral argument, E3046 an argument that does
            not fit, or that the function refuses; the label names the argument.
    """
    name = named.rpartition(_APART)[2]
    refuse_kept(named, None, config)
    function, early = await _function(talk, name)
    if function is None:
        return Proposal({RESULT: Unknown()}, decided=True, deferred=True)
    clear = talk.secrecy.reveal(dict(config))
    given = arguments(function, clear if isinstance(clear, dict) else {})
    if given.odd:
        raise Refusal(
            [_refused(named, f"`{each.path[0]}` {each.message}", str(each.path[0])) for each in given.odd]
        )
    if not takes(function, config):
        return Proposal({RESULT: Unknown()}, decided=True, deferred=True)

    async def ask(session: Session) -> Value:
        return await called(session, name, function, given)

    try:
        result = await (talk.look(ask) if early else talk.ask(ask))
    except FunctionFailed as failed:
        text = talk.secrecy.withheld(str(failed))
        raise Refusal([_blamed(named, text, given, failed.argument)]) from None
    kept = Kept(talk.program.source).written(talk.secrecy)
    told = talk.secrecy.told(result)
    warned = (f"`{named}` is deprecated: {function.deprecated}",) if function.deprecated else ()
    later = has_unknown(result)
    return Proposal({RESULT: told}, warnings=warned, decided=True, binding=kept, deferred=later)


async def _function(talk: Conversation, name: str) -> tuple[Function | None, bool]:
    """Return a function, None: not known yet; and whether it can be called without a configuration."""
    known: Mapping[str, Function] = (await talk.schemas()).functions
    if name in known:
        return known[name], True
    if not talk.deferred:
        known = {**known, **await talk.ask(functions)}
        if name in known:
            return known[name], False
        offer = f"it has {', '.join(f'`{each}`' for each in known)}" if known else "it has no functions"
        problem = Problem("E3016", f"the provider `{talk.name}` has no function `{name}`", help=(offer,))
        raise Refusal([problem])
    return None, False


def _blamed(named: str, text: str, given: Arguments, place: int | None) -> Problem:
    """Return what a function says, with the argument that it means."""
    argument = given.names[place] if place is not None and 0 <= place < len(given.names) else ""
    about = f"`{argument}`: {text}" if argument else text
    return _refused(named, about, argument)


def _refused(named: str, what: str, argument: str) -> Problem:
    return Problem("E3046", f"the function `{named}` was not called to an end: {what}", label=argument)
