"""What a test file looks like. The check, the JSON Schema and the docs come from these shapes."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import (
    AnyValue,
    ByKey,
    ByKind,
    ExpressionText,
    Field,
    Flag,
    ListOf,
    MapOf,
    Number,
    Record,
    Text,
    Whole,
    json_schema,
)
from dirigent.model.values import Value

PHASES: Final = ("completed", "faulted", "cancelled", "waiting", "held", "suspended")
CRASHES: Final = ("after-each-append", "before-each-append")
DOUBTS: Final = ("keyed", "repeat", "unknown")

_DURATION: Final = ByKind(
    text=Text(min_length=1, what="a duration such as `PT30S`"), number=Number(min=0), map=MapOf(Number())
)
_TASK: Final = Text(min_length=1, what="the name of a task, or its JSON pointer")
_CALL: Final = Text(min_length=1, what="the function of a call, as `http` or `shell`")
_SOME: Final = Text(min_length=1, what="a text")
_TIMES: Final = Whole(min=0)

_ERROR: Final = Record(
    {
        "type": Field(_SOME, description="`communication`, another standard type, or a URI"),
        "status": Field(Whole(min=100, max=599), description="an HTTP status"),
        "title": Field(Text()),
        "detail": Field(Text()),
        "instance": Field(Text(), description="the JSON pointer of the task"),
    },
    title="an error",
)
_REPLY: Final[dict[str, Field]] = {
    "output": Field(AnyValue(), description="what the call gives"),
    "error": Field(_ERROR, description="the error with which the call fails"),
    "compute": Field(ExpressionText(bare=True), description="an expression over the request"),
    "real": Field(Flag(), description="`true`: the step in Python is really called"),
    "after": Field(_DURATION, description="how long the call takes, in virtual time"),
}
_MATCHER: Final[dict[str, Field]] = {
    "task": Field(
        _TASK, description="the task that calls: its name, JSON pointer or position, with `*` and `?`"
    ),
    "call": Field(_CALL, description="the function that is called, as `http`"),
    "workflow": Field(_SOME, description="the name of the workflow that calls, for those that run others"),
    "request": Field(AnyValue(), description="members that the request must have"),
}
_ANSWER: Final = Record(
    {
        **_MATCHER,
        **_REPLY,
        "replies": Field(
            ListOf(Record(_REPLY, title="a reply"), min=1),
            description="one after the other; the last one for ever after, unless `times` is given",
        ),
        "times": Field(_TIMES, description="serve so many calls, and demand that they are made"),
        "doubt": Field(
            Text(choices=DOUBTS, what="`keyed`, `repeat` or `unknown`"),
            description="after a crash: the world knows the call, does it again, or nobody can say",
        ),
    },
    title="an answer",
)
_AT: Final = Field(_DURATION, required=True, description="when, in virtual time from the start of the run")
_EVENT: Final = MapOf(AnyValue(), what="a mapping, as `{type: com.example.paid, data: {...}}`")
_HAPPENING: Final = ByKey(
    {
        name: Record({"at": _AT, name: Field(shape, required=True)}, title="a happening")
        for name, shape in (
            ("cancel", ByKind(text=Text(), flag=Flag())),
            ("suspend", ByKind(text=Text(), flag=Flag())),
            ("resume", ByKind(text=Text(), flag=Flag())),
        )
    }
    | {
        "signal": Record(
            {"at": _AT, "signal": Field(_SOME, required=True), "data": Field(AnyValue())},
            title="a happening",
        ),
        "event": Record({"at": _AT, "event": Field(_EVENT, required=True)}, title="a happening"),
        "down": Record({"at": _AT, "down": Field(_DURATION, required=True)}, title="a happening"),
    },
    title="a happening",
)
_REQUESTED: Final = Record({**_MATCHER, "times": Field(_TIMES)}, title="an expected request")
_LASTING: Final = ByKind(
    text=Text(min_length=1, what="a duration such as `PT30S`"),
    number=Number(min=0),
    map=MapOf(_DURATION),
)
_TIME: Final = Text(min_length=1, what="a time with its zone, as `2026-03-29T00:30:00Z`")
_START: Final = Record(
    {
        "at": Field(_TIME, required=True),
        "phase": Field(Text(choices=PHASES), description="how this run ends; else as `phase` says"),
    },
    title="a start",
)
_CHECK: Final = ExpressionText(bare=True)
_EXPECT: Final = Record(
    {
        "phase": Field(Text(choices=PHASES), description="how the run ends, or for what it is left waiting"),
        "output": Field(AnyValue(), description="the output, exactly"),
        "outputContains": Field(AnyValue(), description="what the output has among other members"),
        "outputSchema": Field(MapOf(AnyValue()), description="a JSON Schema that the output fits"),
        "error": Field(_ERROR, description="members of the error that ends the run"),
        "context": Field(AnyValue(), description="the last `$context` of the run, exactly"),
        "contextContains": Field(AnyValue(), description="what that has among other members"),
        "ran": Field(
            ByKind(list=ListOf(_TASK), map=MapOf(_TIMES)),
            description="tasks that run, or how often each does",
        ),
        "notRan": Field(ListOf(_TASK), description="tasks that do not run"),
        "order": Field(ListOf(_TASK, min=2), description="tasks that begin one after the other, as listed"),
        "starts": Field(
            ByKind(number=_TIMES, list=ListOf(ByKind(text=_TIME, map=_START))),
            description="how many runs a schedule starts, or when, as `2026-03-29T00:30:00Z`",
        ),
        "requests": Field(ListOf(_REQUESTED), description="calls that are made"),
        "events": Field(ListOf(_EVENT), description="events that are emitted, with at least these members"),
        "elapsed": Field(
            _LASTING, description="how long the run lasts: a duration, or `{min: ..., max: ...}`"
        ),
        "check": Field(
            ByKind(text=_CHECK, list=ListOf(_CHECK)),
            description="expressions that give true; they see `.output`, `.error`, `.phase`, `.context`,"
            " `.requests`, `.events`, `.tasks`, `.order` and `.elapsed`",
        ),
    },
    title="`expect`",
)
_SHARED: Final[dict[str, Field]] = {
    "input": Field(AnyValue(), description="the input of the run"),
    "secrets": Field(MapOf(Text()), description="values of the secrets that the workflow declares"),
    "start": Field(_SOME, description="when the run starts, as `2026-03-29T00:30:00Z`"),
    "run": Field(
        Text(pattern=r"[\w.:/@+=-]{1,128}", what="a name for a run"),
        description="the id of the run; `test`, where nothing is said",
    ),
    "metadata": Field(
        MapOf(AnyValue()), description="what `$runtime.metadata` shows, as `resources` of the stack"
    ),
    "files": Field(
        MapOf(Text()), description="texts of functions and schemas that lie elsewhere, by their URIs"
    ),
    "answers": Field(ListOf(_ANSWER), description="what the world answers; the first that matches decides"),
    "crash": Field(
        Text(choices=CRASHES), description="do it again with a crash at each place of the journal in turn"
    ),
}
_TRIAL: Final = Record(
    {
        "name": Field(_SOME, required=True, description="what the test shows, as a sentence"),
        **_SHARED,
        "happens": Field(ListOf(_HAPPENING), description="what somebody does to the run, and when"),
        "schedule": Field(
            _DURATION,
            description="play the schedule of the workflow for so long, and the runs that it starts",
        ),
        "expect": Field(_EXPECT, required=True, description="what the run comes to"),
    },
    title="a test",
)


SHAPE: Final = Record(
    {
        "workflow": Field(
            ByKind(text=Text(min_length=1, what="the path of a workflow"), map=AnyValue()),
            required=True,
            description="a workflow file, `STACK_FILE#NAME`, `MODULE.py:NAME`, or the document itself",
        ),
        "workflows": Field(ListOf(_SOME), description="files of other workflows that it may run"),
        **_SHARED,
        "tests": Field(ListOf(_TRIAL, min=1), required=True, description="the tests, one after the other"),
    },
    title="a test file",
    what="a test file, which begins with `workflow: FILE`",
)


def trials_schema() -> dict[str, Value]:
    """Return the JSON Schema of test files, for editors."""
    return json_schema(SHAPE, title="Dirigent test file")
