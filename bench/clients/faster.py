"""Run a client of ours as the command line runs: on uvloop where it is installed, with few collections."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from dirigent.app.rarely import collected_rarely
from dirigent.cli.waiting import loop_factory


def go(main: Coroutine[None, None, None]) -> None:
    """Run to the end."""
    with collected_rarely(), asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(main)
