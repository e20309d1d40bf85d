"""Queues: what waits for its turn, what an engine knows of the past of its queues, and deduplication."""

from dirigent.engine.queues.waiting import Item, Queues, report, size, stands_for

__all__ = ["Item", "Queues", "report", "size", "stands_for"]
