"""Workflows of code: a coroutine is moved by answers, and what it asks for becomes frames below it.

Stopping is in order: what a coroutine waits for is abandoned first; when nothing of the run is being
abandoned any more, the coroutine is told, and what it does then to clean up is durable like all else.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from dirigent.core import want
from dirigent.core.frame import CodeState, Frame, GatherState, Script
from dirigent.core.machine import NOTE, Ask, Run, Tools, overrun
from dirigent.core.nodes.behaviour import Behaviour
from dirigent.core.status import Phase
from dirigent.model import fault as faults
from dirigent.model import limits
from dirigent.model.fault import Fault
from dirigent.model.ids import Position
from dirigent.model.problem import refuse
from dirigent.model.program import Code, Program
from dirigent.model.run.code import Branch, Gather, Listen, Move, Raised, Request, Returned, Site
from dirigent.model.run.command import Awaits, Patch
from dirigent.model.run.journal import Fact, Signalled
from dirigent.model.values import Value
from dirigent.ports import Plays

DEADLINE: Final = "deadline"
TIMEOUT: Final = "timeout"
STOPPED: Final = Fault(faults.RUNTIME, 500, "Stopped", "it was stopped: nobody waits for it any more")
LATE: Final = Fault(faults.TIMEOUT, 408, "Timeout", "it did not end within its time-out")


# -- coroutines: the workflow itself, and branches of it ------------------------------------------


def begin(run: Run, frame: Frame) -> None:
    """Start the coroutine, or tell one that waited for it that it is stopped."""
    node, state = frame.node, frame.state
    if isinstance(state, CodeState):
        _halt(run, frame, state)
        return
    if isinstance(node, Code):
        state = frame.state = _opened(run, frame, node)
    elif isinstance(node, Branch):
        state = frame.state = CodeState(_owner(frame).play.branch(node.number))
    else:
        raise TypeError(frame.position)
    _ready(run)
    _take(run, frame, state, state.play.go(None))


def check(tools: Tools, program: Program) -> None:
    """Raise `Refusal` (E4031) when a program is a workflow of code that this process does not have."""
    if isinstance(program.root.node, Code):
        _plays(tools, program.root.node).check(program.root.node)


def _plays(tools: Tools, node: Code) -> Plays:
    if tools.plays is None:
        raise refuse(
            "E4031",
            f"`{node.module}:{node.name}` is a workflow of code, and this process runs none",
            "run it with `dirigent run FILE:NAME`, or in the program that it belongs to",
        )
    return tools.plays


def _opened(run: Run, frame: Frame, node: Code) -> CodeState:
    plays = _plays(run.tools, node)
    run.script = Script(Site(run.id, recorded=run.recorded))
    if node.timeout_seconds is not None:
        want.timer(run, frame, DEADLINE, node.timeout_seconds)
    return CodeState(plays.play(node, frame.input, run.script.site))


def _owner(frame: Frame) -> CodeState:
    """Return the coroutine in whose text a branch stands."""
    above = frame.parent
    while above is not None:
        if isinstance(above.state, CodeState):
            return above.state
        above = above.parent
    raise TypeError(frame.position)


def _ready(run: Run) -> None:
    """Let the coroutine that is moved next see its run as it is now."""
    site = _script(run).site
    site.now, site.ahead = run.now, run.ahead


def _script(run: Run) -> Script:
    if run.script is None:
        raise TypeError(run.id)
    return run.script


def left(run: Run, frame: Frame, child: Frame, output: Value, directive: str) -> None:
    """What the coroutine waited for is there."""
    state = _state(frame)
    if state.stopping and not state.told:
        _halt(run, frame, state)
        return
    _ready(run)
    _take(run, frame, state, state.play.go(output))


def broke(run: Run, frame: Frame, child: Frame, fault: Fault) -> None:
    """What the coroutine waited for failed: that is raised where it waits."""
    state = _state(frame)
    if state.stopping and not state.told:
        _halt(run, frame, state)
        return
    _ready(run)
    _take(run, frame, state, state.play.throw(fault))


def fired(run: Run, frame: Frame, purpose: str) -> None:
    """The whole workflow takes too long."""
    _state(frame).fault = LATE
    stop(run, frame)


def _take(run: Run, frame: Frame, state: CodeState, move: Move) -> None:
    """Do what a coroutine came to."""
    site = _script(run).site
    while site.fresh:
        name = site.fresh.pop(0)
        run.want(Ask((Position(f"/patch:{name}"), 1, NOTE), run.root, note=Patch(name)))
    if isinstance(move, Request):
        number = state.visits.get(move.name, 0) + 1
        state.visits[move.name] = number
        enter(run, frame, move, 0, f"/{move.name}" if number == 1 else f"/{move.name}~{number}")
    elif frame.parent is None:
        _end(run, frame, state, move)
    elif isinstance(move, Returned):
        run.complete(frame, move.value)
    else:
        run.fail(frame, move.fault)


def _end(run: Run, frame: Frame, state: CodeState, move: Returned | Raised) -> None:
    """The workflow is over. One that was cancelled or was too late ends as that, whatever it says."""
    fault = move.fault if isinstance(move, Raised) else None
    if run.phase is Phase.CANCELLING:
        run.detach(frame)
        run.result = ("cancelled", None, None if fault is None or fault.title == STOPPED.title else fault)
    elif state.fault is not None or fault is not None:
        run.fail(frame, state.fault or fault or LATE)
    elif isinstance(move, Returned):
        run.complete(frame, move.value)


def enter(run: Run, parent: Frame, request: Request, slot: int, mark: str) -> None:
    """Begin what was asked for, below the frame that waits for it."""
    frame = run.enter_block(parent, request.node, slot, request.input, mark)
    frame.pointer = frame.position
    if request.seconds is not None:
        purpose = DEADLINE if isinstance(request.node, Gather) else TIMEOUT
        want.timer(run, frame, purpose, request.seconds)


# -- several at once ------------------------------------------------------------------------------


def gather_begin(run: Run, frame: Frame) -> None:
    """Begin all members side by side."""
    node = frame.node
    if not isinstance(node, Gather):
        raise TypeError(frame.position)
    if len(node.members) > limits.GATHER_MEMBERS:
        run.fail(frame, overrun(f"{len(node.members)} awaited at once", limits.GATHER_MEMBERS))
        return
    frame.state = GatherState([None] * len(node.members))
    for number, member in enumerate(node.members):
        if isinstance(member, Request):
            enter(run, frame, member, number, f"[{number}]/{member.name}")
        else:
            run.enter_block(frame, member, number, None, f"[{number}]")
    if not node.members:
        run.complete(frame, [])


def gather_left(run: Run, frame: Frame, child: Frame, output: Value, directive: str) -> None:
    """A member is there."""
    state = _gathered(frame)
    state.outputs[int(child.slot)] = output
    _gather_over(run, frame, state)


def gather_broke(run: Run, frame: Frame, child: Frame, fault: Fault) -> None:
    """A member failed: the others are stopped, and the first fault is that of all."""
    state = _gathered(frame)
    if state.fault is None:
        state.fault = fault
        stop(run, frame)
    _gather_over(run, frame, state)


def gather_fired(run: Run, frame: Frame, purpose: str) -> None:
    """They take too long."""
    state = _gathered(frame)
    if state.fault is None:
        state.fault = LATE
        stop(run, frame)
        _gather_over(run, frame, state)


def _gather_over(run: Run, frame: Frame, state: GatherState) -> None:
    if frame.children:
        return
    if state.fault is not None:
        run.fail(frame, state.fault)
    else:
        run.complete(frame, state.outputs)


def _gathered(frame: Frame) -> GatherState:
    if not isinstance(frame.state, GatherState):
        raise TypeError(frame.position)
    return frame.state


def _state(frame: Frame) -> CodeState:
    if not isinstance(frame.state, CodeState):
        raise TypeError(frame.position)
    return frame.state


# -- stopping -------------------------------------------------------------------------------------


def stop(run: Run, top: Frame) -> None:
    """Let everything below a frame end: effects are abandoned, coroutines told, each after what it began.

    One that is stopping already cleans up: that is not disturbed.
    """
    found = [top]
    for frame in found:
        if isinstance(frame.state, CodeState):
            if not frame.state.stopping:
                frame.state.stopping = True
                found.extend(frame.children.values())
        elif isinstance(frame.state, GatherState):
            found.extend(frame.children.values())
        elif frame.alive:
            run.fail(frame, STOPPED)


def _halt(run: Run, frame: Frame, state: CodeState) -> None:
    """Tell a coroutine that it is stopped, once nothing is being abandoned any more."""
    if run.stopping:
        _script(run).halted.append(frame)
        return
    state.told = True
    _ready(run)
    _take(run, frame, state, state.play.stop())


def cancel(run: Run) -> bool:
    """Stop a workflow of code; return whether there is one. It ends when its coroutine has."""
    root = run.root
    if run.script is None or root is None or not root.alive:
        return False
    stop(run, root)
    return True


# -- events ---------------------------------------------------------------------------------------


def listen_begin(run: Run, frame: Frame) -> None:
    """Take an event that came before, or wait for one."""
    node = frame.node
    if not isinstance(node, Listen):
        raise TypeError(frame.position)
    script = _script(run)
    kept = script.mail.get(node.event)
    if kept:
        script.kept -= 1
        run.complete(frame, kept.popleft())
        return
    key = (frame.position, frame.attempt, NOTE)
    run.want(Ask(key, frame, note=Awaits(node.event)))
    script.listeners.setdefault(node.event, deque()).append(key)


def deliver(run: Run, event: Signalled) -> None:
    """Give an event to whoever waited for it first, or keep it."""
    script = run.script
    if script is None:
        return
    script.heard.add(event.id)
    waiting = script.listeners.get(event.event, ())
    while waiting:
        ask = run.asks.get(waiting.popleft())
        if ask is not None and ask.frame is not None:
            del run.asks[ask.key]
            ask.frame.asks.remove(ask.key)
            run.complete(ask.frame, event.data)
            return
    script.kept += 1
    script.mail.setdefault(event.event, deque()).append(event.data)


def check_event(run: Run, fact: Fact) -> None:
    """Raise `Refusal` for an event that nothing could ever wait for (E4034), or one too many (E4035)."""
    if not isinstance(fact, Signalled):
        return
    if not isinstance(run.program.root.node, Code):
        raise refuse(
            "E4034",
            f"run `{run.id}` is no workflow of code: nothing in it waits for events",
            "only workflows in Python wait for events, with `wait_event`",
        )
    if run.script is not None and run.script.kept >= limits.EVENTS_KEPT:
        raise refuse(
            "E4035",
            f"run `{run.id}` keeps {limits.EVENTS_KEPT} events that it has not waited for yet",
            "let the workflow take events faster, or put several into one",
        )


def repeated(run: Run, fact: Fact) -> bool:
    """Return whether a run has this very event already: to tell it again changes nothing."""
    return isinstance(fact, Signalled) and run.script is not None and fact.id in run.script.heard


def of_one_name(known: Program, wanted: Program) -> bool:
    """Return whether two programs are texts of one workflow of code."""
    one, other = known.root.node, wanted.root.node
    if not isinstance(one, Code) or not isinstance(other, Code):
        return False
    return (one.module, one.name) == (other.module, other.name)


CODE = Behaviour(begin, begin, left, broke, fired)
GATHER = Behaviour(gather_begin, gather_begin, gather_left, gather_broke, gather_fired)
AWAIT = Behaviour(listen_begin, listen_begin)
