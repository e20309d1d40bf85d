"""The command line with a fault planted into the store: `python planted.py FAULT WORDS...`."""

from __future__ import annotations

import os
import signal
import sys

from dirigent.app.databases import watching
from dirigent.cli.main import main
from dirigent.engine import turning
from dirigent.stores.postgres.session import statements
from dirigent.stores.postgres.writer import fence

CHECK = "s.token = ($2::bigint[])[array_position($1::integer[], s.id)]"


def blind():
    """Trust no clock: act for a shard until the database itself refuses."""
    fence.Fence.check = lambda self, _now: self.lost


def unfenced():
    """Leave the token out of the writing statements, and believe nobody that the shard is lost."""
    blind()
    fence.Fence.lose = lambda self, *_: None
    for name in ("write", "grow"):
        assert CHECK in statements.SQL[name]
        statements.SQL[name] = statements.SQL[name].replace(
            CHECK, "s.id = any($1::integer[]) and $2::bigint[] is not null"
        )


def poison():
    """Die, as a library that crashes does, whenever the run `poison` is turned."""
    begin = turning._Stretch.__enter__

    def enter(stretch):
        begin(stretch)
        if stretch.live.run.id == "poison":
            os.kill(os.getpid(), signal.SIGKILL)

    turning._Stretch.__enter__ = enter


def unwitnessed():
    """The same, while nobody watches."""
    poison()
    watching.Note.begin = lambda *_: None


FAULTS = (blind, unfenced, poison, unwitnessed)

if __name__ == "__main__":
    {fault.__name__: fault for fault in FAULTS}[sys.argv.pop(1)]()
    main()
