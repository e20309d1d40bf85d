"""The work of `store copy`."""

from __future__ import annotations

from dirigent.app.databases import copying
from dirigent.cli.exits import Exit
from dirigent.cli.given import Options
from dirigent.cli.output import say, say_json
from dirigent.cli.waiting import wait_for


def copy(options: Options) -> int:
    """Copy a store to an empty place, and say what was copied."""
    return wait_for(_copy(options))


async def _copy(options: Options) -> int:
    told = await copying.copy(options.text("source"), options.text("target"))
    if options.as_json:
        say_json({kind: {"count": told.counts[kind], "digest": told.digests[kind]} for kind in told.counts})
    else:
        for kind, count in told.counts.items():
            say(f"  {count:>9}  {kind:<12} {told.digests[kind][:16]}")
        say("copied, read again, and the same")
    return Exit.DONE
