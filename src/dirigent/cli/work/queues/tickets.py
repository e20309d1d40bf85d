"""The place in a queue that the options of a command ask for."""

from __future__ import annotations

import re
from typing import Final

from dirigent.cli.given import Options
from dirigent.model import limits
from dirigent.model.duration import seconds_of
from dirigent.model.problem import refuse
from dirigent.model.run.ticket import Ticket

_SHORT: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
DEFAULT: Final = "default"


def ticket_of(options: Options, now: float) -> Ticket | None:
    """Return the ticket that `--queue` and its companions ask for; None where none of them was given.

    Raises:
        Refusal: E7052 for a delay that is no time, E7053 for `--unique` without a key.
    """
    names = ("queue", "key", "dedupe", "delay")
    if options.flag("unique") and not options.text("dedupe"):
        raise refuse("E7053", "`--unique` needs the key that is to be unique", "add `--dedupe TEXT`")
    priority = options.number("priority")
    if priority is None and not any(options.text(name) for name in names):
        return None
    return Ticket(
        options.text("queue") or DEFAULT,
        int(priority or 0),
        options.text("key"),
        now,
        now + _delay(options.text("delay")),
        options.text("dedupe"),
    )


def _delay(text: str) -> float:
    if not text:
        return 0.0
    short = _SHORT.fullmatch(text)
    try:
        seconds = float(short[1]) * _SECONDS[short[2]] if short else seconds_of(text)
    except ValueError:
        seconds = -1.0
    if 0 <= seconds <= limits.WAIT_SECONDS:
        return seconds
    raise refuse("E7052", f"`{text}` is no delay", "write it as `90s`, `10m`, `2h`, `1d`, or `PT10M`")
