"""The command line with a fault planted into the store: `python planted.py FAULT WORDS...`."""

from __future__ import annotations

import sys

from dirigent.cli.main import main
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


if __name__ == "__main__":
    {"blind": blind, "unfenced": unfenced}[sys.argv.pop(1)]()
    main()
