"""An engine that is stopped between two appends and wakes when another has taken over.

Prints `stopping`, stops itself, and after it was continued prints the code that its next append got.
"""

import asyncio
import os
import signal
import sys

from dirigent.model.problem import Refusal
from dirigent.model.run.journal import Created, Succeeded
from dirigent.stores.sqlite import SqliteStore
from stores.samples import AT, PAY, PROGRAM


async def main(path):
    store = SqliteStore.open_for_writing(path)
    digest = await store.keep(PROGRAM)
    await store.append("r", 0, [Created(AT, digest, None)])
    print("stopping", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
    fact = Succeeded(AT, PAY, 1, "written by a ghost")
    answers = await asyncio.gather(
        store.append("r", 1, [fact]), store.append("r", 2, [fact]), return_exceptions=True
    )
    await store.close()
    codes = [each.problems[0].code if isinstance(each, Refusal) else "stored" for each in answers]
    print(*codes, flush=True)


asyncio.run(main(sys.argv[1]))
