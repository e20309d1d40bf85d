"""The work of `explain`."""

from dirigent.cli.work.types.explaining import explain

__all__ = ["explain"]
