"""Durable functions: the face that authors of workflows in Python see.

What is awaited here is only asked for; the engine does it, records it, and gives the answer. A
workflow that is run again gets the same answers, so it must do nothing else that may differ.
"""

from dirigent.durable.chance import now, patched, random, run_id, uuid
from dirigent.durable.context import attempt, step_id
from dirigent.durable.failures import (
    Cancelled,
    ChildFailed,
    DirigentError,
    NotDurable,
    NotInWorkflow,
    NotStorable,
    RunFailed,
    StepFailed,
    TimedOut,
)
from dirigent.durable.steps import Retry, Step, step
from dirigent.durable.together import gather, within
from dirigent.durable.transactions import Transaction, transaction
from dirigent.durable.waiting import sleep, wait_event
from dirigent.durable.workflows import Workflow, workflow

__all__ = [
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
]
