"""The work of `emit`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dirigent.app import conducting
from dirigent.app.looking import SystemClock
from dirigent.app.stacks import Surrounding
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import say, say_json
from dirigent.cli.session import around
from dirigent.cli.waiting import wait_for
from dirigent.model import limits
from dirigent.model.events.listening import Event
from dirigent.model.problem import refuse
from dirigent.model.values import Value
from dirigent.service import documents
from dirigent.service.events import intake

STDIN: Final = "-"
# By the name of the option and of the attribute.
ATTRIBUTES: Final = {
    "type_": "type",
    "source": "source",
    "subject": "subject",
    "key": "id",
    "time": "time",
}


def emit(options: Options) -> int:
    """Tell all runs of events."""
    now = SystemClock().now()
    written = _by_options(options)
    file = options.text("file")
    if bool(file) == bool(written):
        raise refuse(
            "E7060",
            "an event is given either by its attributes or by a file" if file else "no event was given",
            "say `--type com.example.paid --data '{order: 7}'`, or name a FILE that holds events",
        )
    found = intake.read(_text(file), file, now) if file else [intake.filled(written, now)]
    return wait_for(_emit(around(options), found, options))


async def _emit(surrounding: Surrounding, found: Sequence[Event], options: Options) -> int:
    async with conducting.conducting(surrounding, drive=False) as desk:
        fresh = await intake.emit(desk.conductor, found)
    if options.as_json:
        say_json(
            [
                {"source": event["source"], "id": event["id"], "type": event["type"], "new": new}
                for event, new in zip(found, fresh, strict=True)
            ]
        )
        return Exit.DONE
    for event, new in zip(found, fresh, strict=True):
        say(f"event {event['id']} ({event['type']}) {'is in the log' if new else 'was in the log already'}")
    return Exit.DONE


def _by_options(options: Options) -> dict[str, Value]:
    """Return the attributes that options give."""
    found: dict[str, Value] = {
        name: options.text(option) for option, name in ATTRIBUTES.items() if options.text(option)
    }
    if options.text("data"):
        found["data"] = documents.value_of_text(options.text("data"), "--data")
    for pair in options.many("extensions"):
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise refuse("E7062", f"`{pair}` is no extension", "write `--extension name=value`")
        found[name] = value
    return found


def _text(file: str) -> str:
    most = limits.EVENTS_FILE_BYTES
    try:
        if file == STDIN:
            content = sys.stdin.buffer.read(most + 1)
        else:
            with Path(file).open("rb") as opened:
                content = opened.read(most + 1)
        text = content.decode("utf-8-sig")
    except (OSError, ValueError) as failure:
        words = getattr(failure, "strerror", None) or "it is no text in UTF-8"
        raise refuse("E7061", f"`{file}` cannot be read: {words}", "name a file of events as JSON") from None
    if len(content) > most:
        raise refuse("E7061", f"`{file}` has more than `{most}` bytes", "give it in parts")
    return text
