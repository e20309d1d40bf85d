"""What can be raised in a workflow. All are caught like any exception; each says what is to be done."""

from __future__ import annotations

from dirigent.model.fault import Fault


class DirigentError(Exception):
    """What Dirigent raises in a workflow or a step."""


class StepFailed(DirigentError):
    """A step failed for good. `kind` names the exception that it raised, `fault` is all that is known."""

    def __init__(self, fault: Fault) -> None:
        """Keep the fault."""
        super().__init__(f"{fault.title}: {fault.detail}" if fault.detail else fault.title)
        self.fault = fault

    @property
    def kind(self) -> str:
        """Return the name of the exception that the step raised, such as `ValueError`."""
        return self.fault.title


class ChildFailed(StepFailed):
    """A child run ended without success."""


class RunFailed(DirigentError):
    """A run ended without success: `phase` is `faulted` or `cancelled`, `fault` says why."""

    def __init__(self, run: str, phase: str, fault: Fault | None) -> None:
        """Say what became of a run."""
        words = f"{fault.title}: {fault.detail}" if fault else "somebody stopped it"
        super().__init__(f"run `{run}` {phase}: {words}")
        self.run = run
        self.phase = phase
        self.fault = fault


class TimedOut(DirigentError, TimeoutError):
    """A step, an event or a stretch of a workflow did not end within its time-out."""

    def __init__(self, fault: Fault) -> None:
        """Keep the fault."""
        super().__init__(fault.detail)
        self.fault = fault


class NotDurable(DirigentError):
    """A workflow awaits what is not ours: another run of it would not find the same."""


class NotInWorkflow(DirigentError):
    """What only a workflow can await was awaited elsewhere."""


class NotStorable(DirigentError, TypeError):
    """A value cannot be written down, or what was written does not fit its type."""


class Cancelled(BaseException):
    """The run is being cancelled, or nobody waits for this branch any more. Clean up, then let it pass.

    What is awaited in `finally` and `except` blocks meanwhile is durable like everything else.
    """
