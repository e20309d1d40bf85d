"""One of everything that a store keeps. The golden journals of all versions hold this: never change it.

What a version added is in names that end with its number.
"""

import asyncio
from functools import wraps

from dirigent.model.events.listening import Link, Quorum, Sought, Test, Want
from dirigent.model.fault import Fault
from dirigent.model.ids import Address, Digest, PlanId, Position, RunId
from dirigent.model.plan import Action, Change, Difference, Plan
from dirigent.model.program import (
    Backoff,
    Call,
    Case,
    Catch,
    Code,
    Filter,
    Fork,
    Graph,
    Loop,
    OnDoubt,
    Program,
    Raise,
    Retry,
    Sequence,
    Set,
    Switch,
    Task,
    Try,
    Wait,
)
from dirigent.model.resource import ResourceRow
from dirigent.model.run.journal import (
    Abandoned,
    Awaited,
    CancelRequested,
    Computed,
    Created,
    Emitted,
    Ended,
    Failed,
    Heard,
    Held,
    Intended,
    Listening,
    Overruled,
    Patched,
    Repeated,
    ResourceChanged,
    Resumed,
    Retried,
    Signalled,
    Skipped,
    Succeeded,
    Suspended,
    TimerFired,
    TimerSet,
    Unheard,
    Vouched,
)
from dirigent.model.run.origin import Origin
from dirigent.model.source import Span
from dirigent.model.values import Expression, SecretRef, SecretText, Unknown, UriTemplate

SPAN = Span("shop.yaml", 3, 5, 3, 17)
SECRET = SecretText(("Bearer ", SecretRef("payment-key")))
AT = 1_700_000_000.25
PAY = Position("/do/1/pay")


def row(address="api", **config):
    return ResourceRow(
        Address(address),
        address,
        "service",
        {"port": 80, **config},
        {"url": "http://127.0.0.1"},
        needs=("db",),
    )


def task(name, node, **more):
    return Task(name, f"/do/{name}", node, **more)


PROGRAM = Program(
    "place-order",
    "shop",
    "1.0.0",
    task(
        "root",
        Sequence(
            (
                task("set", Set({"a": Expression(".a", SPAN), "b": [1, None, 2.5, "x"]}), span=SPAN),
                task("wait", Wait("PT1S"), condition=Expression("$x > 1"), then="exit"),
                task("loop", Loop("item", "index", Expression(".items"), Sequence(()), Expression("true"))),
                task("fork", Fork((task("left", Set(1)), task("right", Set(2))), compete=True)),
                task("switch", Switch((Case("yes", "end", Expression(".ok")), Case("no", "continue")))),
                task(
                    "graph",
                    Graph((task("one", Set(1)), task("two", Set(2))), {"two": ("one",)}, "resources", {}, 4),
                ),
                task(
                    "try",
                    Try(
                        Sequence(
                            (task("call", Call("http", {"uri": UriTemplate("/{id}", SPAN)}, OnDoubt.REPEAT)),)
                        ),
                        Catch({"status": 503}, retry=Retry(delay="PT1S", backoff=Backoff.EXPONENTIAL)),
                    ),
                ),
                task("raise", Raise({"type": "t", "status": 400, "secret": SECRET})),
            )
        ),
        input=Filter(Expression("."), {"type": "object"}, present=True),
        timeout_seconds=30,
    ),
    secrets=("payment-key",),
    hosts=("pay.example",),
    sources={"shop.yaml": "do: []\n"},
)

PLAN = Plan(
    PlanId("plan-1"),
    "shop",
    AT,
    (
        Change(
            Address("api"),
            "api",
            "service",
            Action.REPLACE,
            config={"command": [Expression("$inputs.c")]},
            prior=row(),
            needs=("db",),
            differences=(Difference("port", 80, Unknown(("db",)), forces_replacement=True, span=SPAN),),
            because="command forces replacement",
            span=SPAN,
        ),
    ),
    "f" * 40,
    inputs={"big": 2**80, "small": -(2**70)},
    outputs={"url": Expression("$resources.api.url")},
)

# The content hash of `PROGRAM` as version 1 wrote it.
DIGEST = Digest("0" * 40)

FACTS = (
    Created(AT, DIGEST, {"order": 7}, {"engine": "dirigent"}, RunId("parent"), 1),
    Intended(AT, PAY, 1, {"headers": {"Authorization": SECRET}, "body": "x"}),
    Succeeded(AT, PAY, 1, {"id": 2**70, "ok": True, "list": [None, 1.5, -3, "ü"]}),
    Failed(AT, PAY, 2, Fault("urn:t", 503, "Down", "try later", "/do/1/pay", SPAN, doubtful=True)),
    Held(AT, PAY, 3, "nobody can say", {"key": "abc"}),
    Vouched(AT, PAY, 3, [1, 2]),
    Repeated(AT, PAY, 3),
    Skipped(AT, PAY, 3),
    Abandoned(AT, PAY, 3),
    TimerSet(AT, PAY, 1, "retry", AT + 5),
    TimerFired(AT, PAY, 1, "retry"),
    Computed(AT, PAY, 0, "input", ({"a": 1}, Fault("urn:e", 400), None)),
    CancelRequested(AT, "enough"),
    Suspended(AT, "lunch"),
    Resumed(AT),
    ResourceChanged(AT, "api", row(secret=SECRET, later=Unknown(("db",)))),
    ResourceChanged(AT, "api", None),
    Ended(AT, "faulted", None, Fault("urn:t", 500)),
)

PROGRAM_2 = Program(
    "place", "python", "d" * 40, Task("place", "", Code("shop.flows", "place", "d" * 40, 60.0))
)

FACTS_2 = (
    Awaited(AT, PAY, 1, "paid"),
    Patched(AT, Position("/fraud"), 1, "fraud"),
    Signalled(AT, "paid", "event-1", {"amount": 2**70, "by": SECRET}),
    Signalled(AT, "paid", "event-2"),
)

EVENT = {"specversion": "1.0", "id": "7", "source": "/shop", "type": "paid", "data": {"amount": 2**70}}
FILTER = Sought(
    (Test("type", "paid"), Test("data", Expression(".amount > $x", SPAN), variables={"x": 1})),
    (Link("order", Expression(".data.order")),),
)

FACTS_EVENTS = (
    Listening(AT, PAY, 1, Want(Quorum.ANY, (FILTER, FILTER), (0,), Quorum.ALL, (1,), {"order": 7}), AT - 1),
    Heard(AT, PAY, 1, EVENT, AT, 0, {"order": 7}),
    Unheard(AT, PAY, 1),
    Emitted(AT, PAY, 1, EVENT),
)

# What people say to runs, and why runs were made, as it was first written: `control.hex` of version 2.
FACTS_CONTROL = (
    Retried(AT, PAY, 2, "again", None, "the bank is back", "ana"),
    Retried(AT, PAY, 3, "output", {"id": 2**70, "by": SECRET}),
    Overruled(AT, PAY, 1, "skip", None, "not today", "ana"),
    Overruled(AT, PAY, 1, "output", [1, 2]),
    CancelRequested(AT, "enough", "ana"),
    Suspended(AT, "lunch", "ana", 7),
    Resumed(AT, "back", "ana", 9),
    Resumed(AT, queue="checks"),
    Created(AT, DIGEST, {"order": 7}, origin=Origin("rerun", "run-1", 0.0, "ana", "once more")),
)

# What was added to version 2 later, by the file that holds it as it was first written.
LATER = {"control.hex": FACTS_CONTROL, "events.hex": FACTS_EVENTS}


def in_loop(test):
    """Run an async test; pytest sees its parameters. What must be left before the loop ends is left."""

    async def whole(*args, **kwargs):
        try:
            await test(*args, **kwargs)
        finally:
            for each in (*args, *kwargs.values()):
                if leave := getattr(type(each), "leave", None):
                    await leave(each)

    @wraps(test)
    def run(*args, **kwargs):
        asyncio.run(whole(*args, **kwargs))

    return run


def code_of(caught):
    """Return the code of the only problem of a refusal."""
    (problem,) = caught.value.problems
    return problem.code
