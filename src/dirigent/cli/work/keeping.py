"""The work of `prune` and `import-run`."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from pathlib import Path

from dirigent.app.seat import Keeper, keeping
from dirigent.app.stacks import Surrounding
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import say, say_json
from dirigent.cli.session import around
from dirigent.cli.waiting import wait_for
from dirigent.model import limits
from dirigent.model.problem import Refusal, refuse
from dirigent.model.run.retention import Pruned, Retention, age_seconds
from dirigent.ports.events import Logged
from dirigent.stores import retention, transfer

# Of a dry run so many are looked through.
SHOWN = 1_000_000


def prune(options: Options) -> int:
    """Remove runs that have ended and are past their time."""
    return wait_for(_prune(around(options), options))


async def _prune(surrounding: Surrounding, options: Options) -> int:
    policy = _policy(surrounding, options)
    nothing = policy.endless and policy.events is None and not options.text("sink")
    if nothing and not options.flag("vacuum"):
        raise refuse(
            "E7032",
            "nothing says which runs are to go",
            "add `--older-than 30d` or `--keep 1000`, or write `policy: {retention: {completed: 30d}}`",
        )
    async with keeping(surrounding.settings) as keeper:
        size, swept = await keeper.size(), 0
        if options.flag("dry"):
            removed = Pruned(len(await keeper.archive.prunable(policy, keeper.clock.now(), SHOWN)))
            events = 0
        else:
            await drop_sink(keeper, options.text("sink"))
            events = await forgotten(keeper, policy.events)
            removed = await retention.prune(keeper.archive, policy, keeper.clock.now())
            swept = await keeper.clear()
    if options.flag("vacuum") and not options.flag("dry"):
        await keeper.compact()
    freed = max(0, size - await keeper.size()) + swept
    if options.as_json:
        parts = {"runs": removed.runs, "facts": removed.facts, "blobs": removed.blobs, "events": events}
        say_json({**parts, "bytes": freed, "dry": options.flag("dry")})
    elif options.flag("dry"):
        say(f"{removed.runs} runs would be removed")
    else:
        say(f"{removed.runs} runs removed with {removed.facts} facts, {freed / 2**20:.1f} MiB given back")
        if events:
            say(f"{events} events removed")
    return Exit.DONE


async def forgotten(keeper: Keeper, age: float | None) -> int:
    """Remove events that are past their time, and that no sink and no listener needs; return how many."""
    store: object = keeper.journal
    if age is None or not isinstance(store, Logged):
        return 0
    needed = min((listener.since for listener in await store.log.listeners()), default=math.inf)
    return await store.log.forget(keeper.clock.now() - age, limits.EVENTS_LOGGED, needed)


async def drop_sink(keeper: Keeper, name: str) -> None:
    """Forget a sink. Raises `Refusal` (E5073)."""
    store: object = keeper.journal
    if not name or not isinstance(store, Logged):
        return
    if name not in {cursor.sink for cursor in await store.log.cursors()}:
        raise refuse("E5073", f"there is no sink `{name}`", "list them with `dirigent events --sinks`")
    await store.log.drop_cursor(name)


def import_run(options: Options) -> int:
    """Take a run from a file into this store."""
    return wait_for(_import_run(around(options), options))


async def _import_run(surrounding: Surrounding, options: Options) -> int:
    file = options.text("file")
    try:
        text = await asyncio.to_thread(Path(file).read_text, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise refuse(
            "E7033", f"`{file}` cannot be read: {error}", "name a file that `show --export` wrote"
        ) from None
    moved = transfer.read(text, file)
    if moved.open and not options.flag("adopt"):
        raise refuse(
            "E5033",
            f"run `{moved.run}` has not ended, and would be driven on here",
            "export it when it is over, or add `--adopt` when the other store will never drive it again",
        )
    async with keeping(surrounding.settings) as keeper:
        await keeper.journal.keep(moved.program)
        try:
            await keeper.archive.take_in(moved.run, moved.facts)
        except Refusal as refusal:
            if refusal.problems[0].code != "E5001":
                raise
            raise refuse("E5034", f"there is a run `{moved.run}` in this store already") from None
    if options.as_json:
        say_json({"run": moved.run, "facts": len(moved.facts), "open": moved.open})
    else:
        say(f"run {moved.run} is here, with {len(moved.facts)} facts\nnext: dirigent show {moved.run}")
    return Exit.DONE


def _policy(surrounding: Surrounding, options: Options) -> Retention:
    """Return what the options say, or else what the stack says."""
    keep, older = options.number("keep"), options.text("older")
    stack = surrounding.stack.retention if surrounding.stack else Retention()
    events = _age(options.text("events")) if options.text("events") else stack.events
    if not older and keep is None:
        return replace(stack, events=events)
    age = _age(older) if older else None
    return Retention(age, age, age, None if keep is None else int(keep), events)


def _age(text: str) -> float:
    age = age_seconds(text)
    if age is None:
        raise refuse("E7030", f"`{text}` is no age", "write a whole number and s, m, h, d or w, as `30d`")
    return age
