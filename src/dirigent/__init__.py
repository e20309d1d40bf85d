"""One stack file goes in; one plan, one durable engine, and a system held to its goals come out.

What authors of workflows in Python need is offered here, and imported when it is first named: the
command line needs none of it. `__init__.pyi` tells type checkers the same.
"""

import importlib

__version__ = "0.1.0"

_EMBEDDING = ("Handle", "Orchestra", "open")
_DURABLE = (
    "Cancelled",
    "ChildFailed",
    "DirigentError",
    "NotDurable",
    "NotInWorkflow",
    "NotStorable",
    "Retry",
    "RunFailed",
    "Step",
    "StepFailed",
    "TimedOut",
    "Transaction",
    "Workflow",
    "attempt",
    "gather",
    "now",
    "patched",
    "random",
    "run_id",
    "sleep",
    "step",
    "step_id",
    "transaction",
    "uuid",
    "wait_event",
    "within",
    "workflow",
)


def __getattr__(name: str) -> object:
    """Return what authors need, from its room."""
    if name in _EMBEDDING:
        found: object = getattr(importlib.import_module("dirigent.app.embedding"), name)
    elif name in _DURABLE:
        found = getattr(importlib.import_module("dirigent.durable"), name)
    else:
        raise AttributeError(f"module `dirigent` has no attribute `{name}`")
    globals()[name] = found
    return found
