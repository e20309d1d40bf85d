"""What went wrong with a provider, in our words: problems of a plan, failures of an operation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias

from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.values import Value
from dirigent.ports.resources import ProviderFailed
from dirigent.providers.tofu.lifecycle.cycle import Unreliable
from dirigent.providers.tofu.lifecycle.session import Misconfigured, Refused
from dirigent.providers.tofu.process.connection import CallBroken, CallUnknown
from dirigent.providers.tofu.process.launch import NotStarted
from dirigent.providers.tofu.provider.secrecy import Secrecy
from dirigent.providers.tofu.values.paths import Misfit
from dirigent.providers.tofu.values.types import NoType
from dirigent.providers.tofu.wire.diagnostics import Diagnostic

Left: TypeAlias = tuple[dict[str, Value] | None, Value]
"""What stands after an operation: the attributes, None for nothing, and the private value of a row."""

NOTHING_LEFT: Final[Left] = (None, None)


@contextmanager
def told(name: str, secrecy: Secrecy) -> Iterator[None]:
    """Turn what the inner rooms raise into `ProviderFailed` and `Refusal`, without any secret.

    Raises:
        Refusal: E3013 what the provider says is wrong, E3011 with its own configuration, E3010 it cannot be
            started.
        ProviderFailed: E3014 it broke its word, E3015 it did not answer.
    """
    try:
        yield
    except Misconfigured as refused:
        raise Refusal(complaints(name, refused.said, secrecy, "E3011")) from None
    except Refused as refused:
        raise Refusal(complaints(name, refused.said, secrecy)) from None
    except NotStarted as failure:
        raise refuse(
            "E3010",
            f"the provider `{name}` could not be started: {secrecy.withheld(str(failure))}",
            "look whether it is the right program for this machine: `dirigent providers list`",
        ) from None
    except Unreliable as failure:
        raise broken("E3014", secrecy.withheld(str(failure))) from None
    except (CallBroken, CallUnknown) as failure:
        raise broken("E3015", secrecy.withheld(f"the provider `{name}`: {failure}")) from None
    except (Misfit, NoType, json.JSONDecodeError) as failure:
        # Values and schemas of a hostile provider: whatever is wrong with them is its own fault.
        words = f"the provider `{name}` sent what does not fit its schema: {failure}"
        raise broken("E3014", secrecy.withheld(words)) from None


def broken(code: str, detail: str, left: Left = NOTHING_LEFT) -> ProviderFailed:
    """Return a failure with the code by which its remedy is found, and what stands all the same."""
    return ProviderFailed(f"{code}: {detail}", *left)


def complaints(name: str, said: Iterable[Diagnostic], secrecy: Secrecy, code: str = "E3013") -> list[Problem]:
    """Return the errors among what a provider says, each with the property that it is about as label."""
    return [
        Problem(code, _in_a_line(secrecy.withheld(str(each))), label=each.label, help=(f"so says `{name}`",))
        for each in said
        if each.severe
    ]


def warnings(said: Iterable[Diagnostic], secrecy: Secrecy) -> tuple[str, ...]:
    """Return what a provider warns of."""
    shown = (_in_a_line(secrecy.withheld(str(each))) for each in said if not each.severe)
    return tuple(dict.fromkeys(shown))


def failure(said: Iterable[Diagnostic], secrecy: Secrecy) -> str:
    """Return the errors among what a provider says, as one text."""
    return "; ".join(
        _in_a_line(secrecy.withheld(f"`{each.label}`: {each}" if each.path else str(each)))
        for each in said
        if each.severe
    )


def _in_a_line(text: str) -> str:
    """Return what a provider has laid out for a page of its own. Only now: a secret may have lines, too."""
    return " ".join(text.split())
