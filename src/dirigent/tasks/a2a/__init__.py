"""Calls of A2A agents: JSON-RPC to the address of a card, or to one that the document names."""

from dirigent.tasks.a2a.call import A2aPerformer

__all__ = ["A2aPerformer"]
