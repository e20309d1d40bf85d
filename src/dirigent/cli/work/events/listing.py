"""The work of `events`: the facts of a run, the log of events, or the sinks that it is delivered to."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

from dirigent.app.looking import Reader, looking
from dirigent.cli import wire
from dirigent.cli.answer import Json
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import say, say_line
from dirigent.cli.place import place
from dirigent.cli.text.terminal import Terminal, cut, out, shown
from dirigent.cli.waiting import wait_for
from dirigent.cli.work import look
from dirigent.model.events.cursor import EVERYTHING, STATUS, Cursor
from dirigent.model.events.listening import Arrived
from dirigent.model.problem import refuse
from dirigent.model.record import dataclass
from dirigent.model.run.retention import age_seconds
from dirigent.ports.events import Logged, Outbox
from dirigent.settings import Settings

PAGE: Final = 500
LOOK_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Query:
    """Which events are shown: those for `sieve` that arrived `since` then; the last `lines`, then more."""

    sieve: Cursor
    since: float
    lines: int
    follow: bool


def events(options: Options) -> int:
    """Show the facts of a run, or events, or sinks."""
    if options.text("run_id"):
        return look.events(options)
    settings = place(options).settings
    if options.flag("sinks"):
        return wait_for(_sinks(settings, options))
    return wait_for(_events(settings, options))


async def _events(settings: Settings, options: Options) -> int:
    async with looking(settings) as reader:
        wanted = _query(options, reader.clock.now())
        async for arrived in _found(reader, wanted):
            if options.as_json:
                say_line(_json(arrived))
            else:
                say(_line(arrived, out()))
    return Exit.DONE


async def _found(reader: Reader, wanted: Query) -> AsyncIterator[Arrived]:
    """Yield the last events there are, and with `follow` what comes, for ever."""
    log = _log(reader)
    if log is None:
        return
    last: deque[Arrived] = deque(maxlen=wanted.lines)
    end = (0, 0)
    while True:
        page = await log.events(wanted.since, end, PAGE)
        last.extend(each for each in page if _wanted(each, wanted.sieve))
        if not page:
            break
        end = page[-1].place
    for arrived in last:
        yield arrived
    while wanted.follow:
        page = await log.events(wanted.since, end, PAGE)
        for arrived in page:
            end = arrived.place
            if _wanted(arrived, wanted.sieve):
                yield arrived
        if not page:
            await asyncio.sleep(LOOK_SECONDS)


def _log(reader: Reader) -> Outbox | None:
    store: object = reader.journal
    return store.log if isinstance(store, Logged) else None


def _wanted(arrived: Arrived, sieve: Cursor) -> bool:
    return sieve.wants(str(arrived.event.get("type")), str(arrived.event.get("source")))


def _query(options: Options, now: float) -> Query:
    # What is in the log is shown, also what a sink gets only if it names it.
    types = options.many("types") or (*EVERYTHING, f"*{STATUS}*")
    sieve = Cursor("", types=types, sources=options.many("sources") or EVERYTHING)
    since = _since(options.text("since"), now)
    return Query(sieve, since, int(options.number("lines") or 0), options.flag("follow"))


def _since(text: str, now: float) -> float:
    """Return a time or an age as seconds since the epoch. Raises `Refusal` (E4198)."""
    if not text:
        return 0.0
    age = age_seconds(text)
    if age is not None:
        return now - age
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise refuse(
            "E4198", f"`{text}` is no time", "write an age as `10m`, or a time as `2026-03-09T12:00:00Z`"
        ) from None
    return moment.timestamp() if moment.tzinfo else moment.replace(tzinfo=UTC).timestamp()


def _json(arrived: Arrived) -> Json:
    return {
        "place": list(arrived.place),
        "at": arrived.at,
        "run": arrived.run or None,
        "event": wire.value(arrived.event),
    }


def _line(arrived: Arrived, terminal: Terminal) -> str:
    event = arrived.event
    at = datetime.fromtimestamp(arrived.at, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    content = event.get("data", event.get("data_base64"))
    kind = terminal.paint(shown(str(event.get("type"))), "bold")
    rest = shown(f"{event.get('source')} {event.get('id')} {json.dumps(content, ensure_ascii=False)}")
    line = f"{at} {kind} {rest}"
    return cut(line, terminal.width) if terminal.live else line


async def _sinks(settings: Settings, options: Options) -> int:
    async with looking(settings) as reader:
        log = _log(reader)
        cursors = await log.cursors() if log is not None else []
        behind = [await _behind(log, each) for each in cursors] if log is not None else []
    for cursor, count in zip(cursors, behind, strict=True):
        if options.as_json:
            patterns = {"types": list(cursor.types), "sources": list(cursor.sources)}
            say_line({"sink": cursor.sink, "waiting": count, **patterns})
        else:
            say(f"{cursor.sink:<32} {count:>6} waiting   {' '.join(cursor.types)}")
    if not cursors and not options.as_json:
        say("there is no sink; a stack declares them under `events:`")
    return Exit.DONE


async def _behind(log: Outbox, cursor: Cursor) -> int:
    """Return how many events wait for a sink."""
    count, end = 0, cursor.place
    while page := await log.events(0.0, end, PAGE):
        count += sum(_wanted(each, cursor) for each in page)
        end = page[-1].place
    return count
