"""The internal plan format: what a workflow document, a change plan and every later language lower to.

A program is a tree of tasks. A task is the common shell (condition, data flow, time-out, directive)
round one node, which is the kind of work. `core` is its only interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field, replace
from enum import Enum
from typing import Final, TypeAlias, assert_never

from dirigent.model.events.listening import Read, Strategy
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.model.values import Expression, Template, Value

CONTINUE: Final = "continue"
EXIT: Final = "exit"
END: Final = "end"

# The function of a call that stands for a function which lies elsewhere, until that is put in its place.
ELSEWHERE: Final = "elsewhere"

# A whole-string expression that stands for "leave the value as it is".
IDENTITY: Final = Expression(".")


class OnDoubt(Enum):
    """What to do when nobody can say whether an effect happened."""

    HOLD = "hold"
    REPEAT = "repeat"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Filter:
    """One border that data crosses: `schema` (JSON Schema) is checked, `shape` computes what passes.

    Into a task the schema is checked before the shape is computed, out of it after. `source` says where a
    schema lies that is not written there; it is filled in before the run starts.
    """

    shape: Template = None
    schema: Value = None
    present: bool = False
    source: Template = None


UNFILTERED: Final = Filter()


@dataclass(frozen=True, slots=True)
class Task:
    """One step. `pointer` is its JSON pointer in the document, unique within the program.

    Order of the data flow (DSL 1.0, "Data Flow"): raw input, `condition`, `input` (schema, then
    shape), node, `output` (shape, then schema), `export` (shape, then schema), `then`.
    `timeout_seconds` is a template that gives seconds, or an ISO 8601 duration.
    `constants` are variables that this task's expressions see, over all others. `scope` is the module whose
    resources and inputs the task of a graph sees, empty for the graph's own. `of` names what the task of a
    graph is about: what is bound under that name it sees as `$self`.
    """

    name: str
    pointer: str
    node: Node
    condition: Expression | None = None
    input: Filter = UNFILTERED
    output: Filter = UNFILTERED
    export: Filter = UNFILTERED
    timeout_seconds: Template = None
    then: str = CONTINUE
    definition: Value = None
    span: Span | None = None
    constants: dict[str, Value] = field(default_factory=dict)
    scope: str = ""
    of: str = ""


@dataclass(frozen=True, slots=True)
class Sequence:
    """Tasks one after the other; each one's output is the next one's input."""

    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """Tasks with edges: each starts when all in `needs` have succeeded, at most `width` at once.

    Every task gets the graph's input; under the variable `binds` it sees the outputs of all
    finished tasks by name, over what `initial` holds already, put together by
    `model.resource.assemble` (`web[0]` and `web["eu"]` lie under `web`; `delete web` is left out).
    `constants` are variables that every task sees. A failed task keeps its dependents from
    starting; the others finish, then the graph faults. Its output is the bound map.

    `scopes` are modules by address, each with the variables that its tasks see over `constants`. Under
    `binds` they see what lies in that module. What a task named `net/$inputs.NAME` gives is a member of
    `$inputs` in the module `net`, and what `net/$outputs.NAME` gives a member of `net` itself.

    With `undo` the graph turns back when a task fails: nothing new starts, and when all that is under way has
    ended, every task that began is taken back by the task under its name, each before what it needed.
    A call that has none stands, and so does all that it needs. Then the graph faults.

    `lanes` names for some tasks the lane in which they go, and `widths` how many of each lane may have begun
    and not ended, on the way there and back.
    """

    tasks: tuple[Task, ...]
    needs: dict[str, tuple[str, ...]]
    binds: str
    initial: dict[str, Value] = field(default_factory=dict)
    width: int = 16
    constants: dict[str, Value] = field(default_factory=dict)
    scopes: dict[str, dict[str, Value]] = field(default_factory=dict)
    undo: dict[str, Task] = field(default_factory=dict)
    lanes: dict[str, str] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Loop:
    """`for`: the body once per item; `condition` is asked before each; outputs chain into inputs."""

    each: str
    at: str
    items: Template
    body: Sequence
    condition: Expression | None = None


@dataclass(frozen=True, slots=True)
class Fork:
    """Branches side by side, each on its own snapshot of the context.

    Not competing: output is the list of branch outputs in order of declaration, exports are applied
    in that order at the join, and the first failure cancels the others. Competing: the first
    success wins and cancels the others; it fails only when all fail.
    """

    branches: tuple[Task, ...]
    compete: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a switch; without `when` it is the default."""

    name: str
    then: str
    when: Expression | None = None


@dataclass(frozen=True, slots=True)
class Switch:
    """The first case that holds, in order of declaration, names the directive."""

    cases: tuple[Case, ...]


class Backoff(Enum):
    """How the delay grows with the number n of the retry, from 1 on: d, d*n, d*2^(n-1)."""

    CONSTANT = "constant"
    LINEAR = "linear"
    EXPONENTIAL = "exponential"


@dataclass(frozen=True, slots=True)
class Retry:
    """When and how often to try again. Delays are templates of seconds or ISO 8601 durations.

    `attempts_max` counts retries after the first attempt; None is unlimited up to `limits.RETRIES`.
    """

    when: Expression | None = None
    except_when: Expression | None = None
    delay: Template = 0
    backoff: Backoff = Backoff.CONSTANT
    jitter_from: Template = 0
    jitter_to: Template = 0
    attempts_max: int | None = None
    attempt_seconds: Template = None
    total_seconds: Template = None


@dataclass(frozen=True, slots=True)
class Catch:
    """Which errors a try catches, and what follows.

    `matching` holds the members of an error that must be equal (empty: every error). Retry until
    the policy ends, then `body`, then `then` (register Q3).
    """

    matching: dict[str, Value] = field(default_factory=dict)
    variable: str = "error"
    when: Expression | None = None
    except_when: Expression | None = None
    retry: Retry | None = None
    body: Sequence | None = None
    then: str = CONTINUE


@dataclass(frozen=True, slots=True)
class Try:
    """A body, and what to do with its errors."""

    body: Sequence
    catch: Catch


@dataclass(frozen=True, slots=True)
class InQueue:
    """That an effect waits for its turn in a queue. The template of the key gives a text or a number."""

    queue: str
    priority: int = 0
    key: Template = ""


@dataclass(frozen=True, slots=True)
class Call:
    """An effect: `function` names the performer, `request` is rendered once and then recorded.

    Functions: `http`, `openapi`, `shell`, `script`, `workflow`, `resource`, `python`. A `literal` call
    sends the input that it is given. One that `waits` is recorded and begun when its queue admits it.
    """

    function: str
    request: Template
    on_doubt: OnDoubt = OnDoubt.HOLD
    waits: InQueue | None = None
    literal: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass. The template gives seconds or an ISO 8601 duration."""

    seconds: Template


@dataclass(frozen=True, slots=True)
class Set:
    """Replace the output."""

    value: Template


@dataclass(frozen=True, slots=True)
class Raise:
    """Fail on purpose. The template gives an object with type, status, title, detail."""

    error: Template


@dataclass(frozen=True, slots=True)
class Extension:
    """What is put round a work where `when` holds.

    `before` gives the work its input, or stands for it where it ends with `exit`; `after` sees its output,
    and replaces it where it ends with `exit`.
    """

    name: str
    when: Expression | None = None
    before: Sequence | None = None
    after: Sequence | None = None


@dataclass(frozen=True, slots=True)
class Extended:
    """A work and its extensions: each lies inside those before it, like the skins of an onion."""

    work: Node
    extensions: tuple[Extension, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """A workflow written in Python: what is asked for next comes from running it.

    It is found anew by `module` and `name` in every process; `digest` is that of its text when the run began.
    `timeout_seconds` cancels it in order.
    """

    module: str
    name: str
    digest: str
    timeout_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Emit:
    """Tell everybody of an event. The template gives its attributes, `data`, and `extensions` by name."""

    event: Template


@dataclass(frozen=True, slots=True)
class EachEvent:
    """What is done with each event, one after the other; without a body it passes as it is."""

    item: str
    at: str
    body: Sequence | None = None
    output: Filter = UNFILTERED
    export: Filter = UNFILTERED


@dataclass(frozen=True, slots=True)
class Consume:
    """Take messages one by one: each is the result of an effect, and worked on before the next is taken.

    `call` takes one; its request sees the variable `TAKING`, and it gives `{message, cursor}`, or null when
    there will be no more. `until` is asked of a message before and after it is worked on, `go_on` after it.
    The output lists what became of the messages, in their order.
    """

    call: Call
    each: EachEvent
    amount: int | None = None
    go_on: Expression | None = None
    until: Expression | None = None


# What the request of a taking call sees: `id` of the stream, `after` (the cursor of the message before), and
# whether this is the `last` one, or the stream is only to be left (`leave`).
TAKING: Final = "_taking"


@dataclass(frozen=True, slots=True)
class Listen:
    """Wait for events. The output lists those that were consumed, in their order.

    A `standing` listener is that of a schedule: it goes on from where the input of its run says (`since`,
    and `known`: the keys of what was taken by then), and is given whole events, each with when it `arrived`.
    """

    to: Strategy
    read: Read = Read.DATA
    each: EachEvent | None = None
    standing: bool = False


Node: TypeAlias = (
    Sequence
    | Graph
    | Loop
    | Fork
    | Switch
    | Try
    | Call
    | Wait
    | Set
    | Raise
    | Code
    | Extended
    | Emit
    | Listen
    | Consume
)


@dataclass(frozen=True, slots=True)
class Program:
    """What a run executes. `root` wraps the whole: its filters are those of the document.

    `kind` is `workflow` or `apply`; `hosts` are the network hosts that the document names
    literally, which the guarded client may reach. `sources` keeps the text for error frames.
    `elsewhere` are the URIs of functions and schemas that are to be put in their places before a run
    starts; there they are in `sources` too, so that a run is pinned to what it began with.
    """

    name: str
    namespace: str
    version: str
    root: Task
    kind: str = "workflow"
    definition: Value = None
    secrets: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)
    elsewhere: tuple[str, ...] = ()


def inside(node: Node) -> tuple[Task, ...]:
    """Return the tasks right below a node, in the order of the document."""
    match node:
        case Sequence(tasks) | Graph(tasks=tasks) | Fork(branches=tasks):
            return (*tasks, *node.undo.values()) if isinstance(node, Graph) else tasks
        case Loop(body=body):
            return body.tasks
        case Try(body, catch):
            return (*body.tasks, *(catch.body.tasks if catch.body else ()))
        case Listen(each=each) | Consume(each=each):
            return each.body.tasks if each is not None and each.body is not None else ()
        case Extended(work, extensions):
            around = [block for each in extensions for block in (each.before, each.after) if block]
            return (*inside(work), *(task for block in around for task in block.tasks))
        case Switch() | Call() | Wait() | Set() | Raise() | Code() | Emit():
            return ()
        case _:
            assert_never(node)


def with_tasks(node: Node, change: Callable[[Task], Task]) -> Node:
    """Return a node with every task right below it changed."""
    found = node
    match node:
        case Sequence():
            found = _changed(node, change)
        case Graph(tasks):
            undo = {name: change(task) for name, task in node.undo.items()}
            found = replace(node, tasks=tuple(change(task) for task in tasks), undo=undo)
        case Fork(branches):
            found = replace(node, branches=tuple(change(task) for task in branches))
        case Loop(body=body):
            found = replace(node, body=_changed(body, change))
        case Try(body, catch):
            caught = replace(catch, body=_changed(catch.body, change)) if catch.body else catch
            found = Try(_changed(body, change), caught)
        case Extended(work, extensions):
            found = Extended(with_tasks(work, change), tuple(_around(each, change) for each in extensions))
        case Listen(each=EachEvent(body=Sequence() as body) as each):
            found = replace(node, each=replace(each, body=_changed(body, change)))
        case Consume(each=EachEvent(body=Sequence() as body) as each):
            found = replace(node, each=replace(each, body=_changed(body, change)))
        case Switch() | Call() | Wait() | Set() | Raise() | Code() | Emit() | Listen() | Consume():
            pass
        case _:
            assert_never(node)
    return found


def _changed(block: Sequence, change: Callable[[Task], Task]) -> Sequence:
    return Sequence(tuple(change(task) for task in block.tasks))


def _around(extension: Extension, change: Callable[[Task], Task]) -> Extension:
    before, after = extension.before, extension.after
    return replace(
        extension,
        before=_changed(before, change) if before else None,
        after=_changed(after, change) if after else None,
    )


def tasks_of(root: Task) -> Iterator[Task]:
    """Yield a task and every task below it, in the order of the document, without recursion."""
    waiting = [root]
    while waiting:
        task = waiting.pop()
        yield task
        waiting.extend(reversed(inside(task.node)))
