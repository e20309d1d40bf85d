"""What the contracts append."""

from dirigent.model.run.journal import Created, Succeeded
from stores.samples import AT, PAY, PROGRAM


async def begin(store, run="r", at=AT, **more):
    digest = await store.keep(PROGRAM)
    await store.append(run, 0, [Created(at, digest, {"order": 7}, **more)])
    return digest


def done(n=1, output=None):
    return Succeeded(AT + n, PAY, n, output)
