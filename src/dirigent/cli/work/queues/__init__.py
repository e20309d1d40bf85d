"""The work of `queues` and `worker`."""

from dirigent.cli.work.queues.listing import queues
from dirigent.cli.work.queues.working import worker

__all__ = ["queues", "worker"]
