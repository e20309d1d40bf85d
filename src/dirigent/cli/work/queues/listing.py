"""The work of `queues`: it asks the engine that runs, or reads the store where none does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from dirigent.app.looking import looking
from dirigent.app.stacks import Surrounding, queues_of
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import say, say_json
from dirigent.cli.session import around
from dirigent.cli.text.runs import lasted
from dirigent.cli.text.terminal import padded
from dirigent.cli.waiting import wait_for
from dirigent.service.queues import QueueView, of_engine, of_store


def queues(options: Options) -> int:
    """List the queues."""
    return wait_for(_queues(around(options), options))


async def _queues(surrounding: Surrounding, options: Options) -> int:
    async with looking(surrounding.settings) as reader:
        # Of several engines on a database, one knows its own shards only; the store knows of all.
        alone = surrounding.settings.database is None
        found = await of_engine(surrounding.settings.socket) if alone else None
        if found is None:
            found = await of_store(reader.shelf, queues_of(surrounding))
        now = reader.clock.now()
    if options.as_json:
        say_json({"queues": [asdict(each) for each in found]})
    else:
        say(queues_text(found, now))
    return Exit.DONE


def queues_text(found: Sequence[QueueView], now: float) -> str:
    """Return a table of queues."""
    if not found:
        return "no queues: none is declared, and nothing waits"
    rows = [["QUEUE", "WAITING", "OLDEST", "RUNNING", "AT ONCE", "RATE", "WORKERS"]]
    rows += [
        [
            each.name,
            str(each.waiting),
            lasted(now - each.oldest) if each.oldest is not None else "-",
            str(each.running),
            str(each.concurrency),
            each.rate or "-",
            "-" if each.workers is None else str(each.workers),
        ]
        for each in found
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
