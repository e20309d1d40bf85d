"""The child process of a worker: finds the steps of the author's modules and does them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from contextlib import ExitStack

from dirigent.app.authors import Authors
from dirigent.durable.context import PERFORMANCE, Performance
from dirigent.durable.conversion import to_json
from dirigent.durable.failures import NotStorable
from dirigent.durable.steps import Step
from dirigent.model import fault as faults
from dirigent.model.problem import Refusal
from dirigent.model.values import Value
from dirigent.tasks.python import FINAL, PASSING, Doing
from dirigent.workers.child import Broke, error_of, plain_step, raised, serve
from dirigent.workers.wire import Job


class Steps:
    """Does steps by the names that journals hold; a plain function of a module will do, too."""

    def __init__(self, folders: list[str]) -> None:
        """Look for modules in `folders` first."""
        self._authors = Authors(folders)
        self._loop = asyncio.Runner()
        self._plain: set[str] = set()

    def __call__(self, job: Job) -> Value:
        """Do a step and return its result as JSON. Raises `Broke`, or what a plain function raises."""
        doing = self._found(job.step)
        if doing is None:
            return plain_step(job)
        if doing.options.database:
            words = f"`{doing.name}` is a transaction, which runs in the engine: no worker can do it"
            raise Broke(error_of("Transaction In A Worker", words, faults.CONFIGURATION, 400))
        with _Judge(doing), ExitStack() as stack:
            effect, _, attempt = job.token.rpartition("-")
            token = PERFORMANCE.set(Performance(effect, int(attempt), job.run))
            stack.callback(PERFORMANCE.reset, token)
            found = doing.bound(job.args, job.named)()
            if isinstance(found, Awaitable):
                found = self._loop.run(_awaited(found))
            return to_json(found, f"the result of `{doing.name}`")
        raise AssertionError(job.step)

    def _found(self, reference: str) -> Doing | None:
        if reference in self._plain:
            return None
        try:
            return self._authors.step(reference)
        except Refusal as refusal:
            module, _, name = reference.partition(":")
            thing: object = sys.modules.get(module)
            for part in name.split("."):
                thing = getattr(thing, part, None)
            if callable(thing) and not isinstance(thing, Step):
                self._plain.add(reference)
                return None
            problem = refusal.problems[0]
            words = " ".join([f"{problem.code}: {problem.message}.", *problem.help])
            raise Broke(error_of("No Such Step", words, faults.CONFIGURATION, 400)) from None


class _Judge:
    """Makes an exception of a step an error that says whether another attempt may help."""

    def __init__(self, doing: Doing) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, failure: BaseException | None, trace: object) -> None:
        if not isinstance(failure, Exception):
            return
        retry = self._doing.options.retry
        passing = retry is not None and not isinstance(failure, NotStorable) and retry.passing(failure)
        error = raised(failure)
        error["status"] = PASSING if passing else FINAL
        raise Broke(error) from None


async def _awaited(found: Awaitable[object]) -> object:
    return await found


def main() -> None:
    """Serve; the arguments are the folders in which modules are looked for."""
    serve(sys.argv[1:], Steps(sys.argv[1:]))
