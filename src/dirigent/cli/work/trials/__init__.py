"""The work of `test`."""

from dirigent.cli.work.trials.playing import test

__all__ = ["test"]
