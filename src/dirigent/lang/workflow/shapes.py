"""What may stand where in a workflow document: tables, and nothing else.

The standard closes every object but the document itself and free maps; so do these tables.
Names, directives and the inside of expressions are the lowering's concern.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dirigent.lang.shape import (
    AnyValue,
    ByKey,
    ByKind,
    ByValue,
    ExpressionText,
    Field,
    Flag,
    Lazy,
    ListOf,
    MapOf,
    OrExpression,
    Record,
    Shape,
    SingleKeyMap,
    Text,
    Whole,
)
from dirigent.lang.workflow import words
from dirigent.lang.workflow.words import Checked, NotYet, Scalar, Unless
from dirigent.model import limits
from dirigent.model.duration import UNITS

ANY: Final = AnyValue()
FREE: Final = MapOf(ANY)
BARE: Final = ExpressionText(bare=True, what="a jq expression")
NAME: Final = Text(what="text", min_length=1)
LABEL: Final = Text(
    pattern="[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?",
    what="text of 1 to 63 letters, digits and inner hyphens, such as `place-order`",
)
VARIABLE: Final = Text(pattern="[A-Za-z_][A-Za-z0-9_]*", what="text that can name a variable, such as `item`")
SEMVER: Final = Checked("E1205", "text such as `1.0.0`", words.semver_complaint)
COMPUTED: Final = ExpressionText(what="an expression such as `${ .name }`")
SCALARS: Final = ByKind(text=COMPUTED, map=MapOf(Scalar(), what="a mapping from names to text"))
COMPUTED_MAP: Final = ByKind(text=COMPUTED, map=FREE)

TASKS: Final = Lazy("tasks", what="a list of tasks")
TASK: Final = Lazy("task", what="a task")

DURATION: Final = ByKind(
    text=Checked("E1308", "an ISO 8601 duration such as `PT30S`", words.duration_complaint, computed=True),
    map=Record(
        {unit: Field(Whole(min=0)) for unit in UNITS},
        title="a duration",
        what="a mapping such as `{seconds: 30}`",
    ),
)
TIMEOUT: Final = Record({"after": Field(DURATION, required=True)}, title="a time-out")


def _endpoint(uri: Shape) -> Shape:
    return ByKind(
        text=uri,
        map=Record(
            {"uri": Field(uri, required=True), "authentication": Field(AUTHENTICATION)}, title="an endpoint"
        ),
    )


def _resource(uri: Shape) -> Shape:
    fields = {"name": Field(Text()), "endpoint": Field(_endpoint(uri), required=True)}
    return Record(fields, title="an external resource")


def _by_secret(title: str, members: tuple[str, ...]) -> Shape:
    inline = Record({name: Field(Text(), required=True) for name in members}, title=title)
    of_secret = Record({"use": Field(NAME)}, title=title)
    return ByKey({"use": of_secret, **dict.fromkeys(members, inline)}, title=title)


def _only(key: str, shape: Shape, title: str) -> Shape:
    return Record({key: Field(shape)}, title=title)


_CREDENTIALS: Final[Mapping[str, Shape]] = {
    "basic": _by_secret("basic authentication", ("username", "password")),
    "bearer": _by_secret("bearer authentication", ("token",)),
    "digest": _by_secret("digest authentication", ("username", "password")),
    "oauth2": NotYet("authentication by OAuth 2"),
    "oidc": NotYet("authentication by OpenID Connect"),
    "certificate": NotYet("authentication by a certificate"),
}
_SCHEMES: Final = {name: _only(name, shape, "an authentication") for name, shape in _CREDENTIALS.items()}
POLICY: Final = ByKey(_SCHEMES, title="an authentication", what="a mapping such as `{bearer: {token: ...}}`")
AUTHENTICATION: Final = ByKey(
    {"use": _only("use", NAME, "an authentication"), **_SCHEMES},
    title="an authentication",
    what="a mapping such as `{use: NAME}`",
)

WEB: Final = _endpoint(
    Checked("E1310", "a URI as text", words.web_complaint, computed=True, help="begin it with `https://`")
)
SOURCE: Final = _resource(Checked("E1310", "a URI as text", words.document_complaint, computed=True))

SCHEMA: Final = ByKey(
    {
        "document": Record(
            {
                "format": Field(
                    Text(pattern="json(?::.*)?", what="text `json`: no other format is supported")
                ),
                "document": Field(ANY),
            },
            title="a schema",
        ),
        "resource": Record(
            {"format": Field(Text()), "resource": Field(NotYet("a schema in another file"))}, title="a schema"
        ),
    },
    title="a schema",
    what="a mapping such as `{document: {type: object}}`",
)
PROJECTION: Final = ByKind(text=BARE, map=FREE)
INPUT: Final = Record({"schema": Field(SCHEMA), "from": Field(PROJECTION)}, title="`input`")
OUTPUT: Final = Record({"schema": Field(SCHEMA), "as": Field(PROJECTION)}, title="`output`")
EXPORT: Final = Record({"schema": Field(SCHEMA), "as": Field(PROJECTION)}, title="`export`")

ERROR: Final = Record(
    {
        "type": Field(Checked("E1310", "a URI as text", words.uri_complaint, computed=True), required=True),
        "status": Field(OrExpression(Whole(min=100, max=599)), required=True),
        "instance": Field(Text()),
        "title": Field(Text()),
        "detail": Field(Text()),
    },
    title="an error",
)
_BACKOFFS: Final = ("constant", "linear", "exponential")
RETRY: Final = Record(
    {
        "when": Field(BARE),
        "exceptWhen": Field(BARE),
        "delay": Field(DURATION),
        "backoff": Field(
            ByKey(
                {
                    name: Record({name: Field(ByKind(map=ANY, null=ANY))}, title="`backoff`")
                    for name in _BACKOFFS
                },
                title="`backoff`",
                what="a mapping such as `{exponential: {}}`",
            )
        ),
        "limit": Field(
            Record(
                {
                    "attempt": Field(
                        Record(
                            {
                                "count": Field(Whole(min=0, max=limits.RETRIES)),
                                "duration": Field(DURATION),
                            },
                            title="`attempt`",
                        )
                    ),
                    "duration": Field(DURATION),
                },
                title="`limit`",
            )
        ),
        "jitter": Field(
            Record(
                {"from": Field(DURATION, required=True), "to": Field(DURATION, required=True)},
                title="`jitter`",
            )
        ),
    },
    title="a retry policy",
    what="the name of a retry policy, or a mapping",
)
CATCH: Final = Record(
    {
        "errors": Field(
            Record(
                {
                    "with": Field(
                        Record(
                            {
                                "type": Field(Text()),
                                "status": Field(Whole()),
                                "instance": Field(Text()),
                                "title": Field(Text()),
                                "detail": Field(Text()),
                                "details": Field(Text()),
                            },
                            title="an error filter",
                        )
                    )
                },
                title="`errors`",
            )
        ),
        "as": Field(VARIABLE),
        "when": Field(BARE),
        "exceptWhen": Field(BARE),
        "retry": Field(ByKind(text=NAME, map=RETRY)),
        "do": Field(TASKS),
        "then": Field(NAME),
    },
    title="`catch`",
)

_COMMON: Final[Mapping[str, Field]] = {
    "if": Field(BARE, description="the task is skipped unless this is true"),
    "input": Field(INPUT),
    "output": Field(OUTPUT),
    "export": Field(EXPORT),
    "timeout": Field(ByKind(text=NAME, map=TIMEOUT)),
    "then": Field(NAME, description="`continue`, `exit`, `end`, or a task of the same list"),
    "metadata": Field(FREE),
}


def _task(title: str, *optional: str, **fields: Shape) -> Record:
    own = {name.rstrip("_"): shape for name, shape in fields.items()}
    known = {name: Field(shape, required=name not in optional) for name, shape in own.items()}
    return Record({**known, **_COMMON}, title=title)


_OUTPUT_FORM: Final = Text(choices=("content", "raw", "response"))
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_HTTP: Final = Record(
    {
        "method": Field(
            Text(
                pattern="|".join("".join(f"[{c}{c.lower()}]" for c in name) for name in _METHODS),
                what="text: one of " + ", ".join(f"`{name.lower()}`" for name in _METHODS),
            ),
            required=True,
        ),
        "endpoint": Field(WEB, required=True),
        "headers": Field(SCALARS),
        "query": Field(SCALARS),
        "body": Field(ANY),
        "output": Field(_OUTPUT_FORM),
        "redirect": Field(Flag()),
    },
    title="the arguments of an HTTP call",
)
_OPENAPI: Final = Record(
    {
        "document": Field(SOURCE, required=True),
        "operationId": Field(NAME, required=True),
        "parameters": Field(COMPUTED_MAP),
        "authentication": Field(AUTHENTICATION),
        "output": Field(_OUTPUT_FORM),
        "redirect": Field(Flag()),
    },
    title="the arguments of an OpenAPI call",
)


def _later_call(name: str) -> Record:
    return _task(f"a {name} call", "with", call=NotYet(f"a call of kind `{name}`"), with_=ANY)


CALL: Final = ByValue(
    "call",
    {
        "http": _task("an HTTP call", call=ANY, with_=_HTTP),
        "openapi": _task("an OpenAPI call", call=ANY, with_=_OPENAPI),
        **{name: _later_call(name) for name in ("grpc", "asyncapi", "a2a", "mcp")},
    },
    otherwise=_task("a function call", "with", call=NAME, with_=COMPUTED_MAP),
)

# Maps were the standard's form up to 1.0.1, lists are since; both are taken.
_ARGUMENTS: Final = ByKind(
    text=COMPUTED,
    list=ListOf(Scalar()),
    map=MapOf(Scalar(empty=True)),
)
_PROCESS: Final[Mapping[str, Field]] = {
    "stdin": Field(Text()),
    "arguments": Field(_ARGUMENTS),
    "environment": Field(SCALARS),
}
_LANGUAGE: Final = Text(choices=("python", "js", "javascript"))


def _script(key: str, shape: Shape) -> Record:
    fields = {"language": Field(_LANGUAGE, required=True), key: Field(shape), **_PROCESS}
    return Record(fields, title="a script")


_RUNS: Final[Mapping[str, Shape]] = {
    "shell": Record({"command": Field(NAME, required=True), **_PROCESS}, title="a shell command"),
    "script": ByKey({"code": _script("code", Text()), "source": _script("source", SOURCE)}, title="a script"),
    "workflow": Record(
        {
            "namespace": Field(LABEL, required=True),
            "name": Field(LABEL, required=True),
            "version": Field(
                ByKind(
                    text=Checked(
                        "E1205",
                        "a version as text",
                        lambda text: "" if text == "latest" else words.semver_complaint(text),
                    )
                )
            ),
            "input": Field(COMPUTED_MAP),
        },
        title="a workflow to run",
    ),
    "container": NotYet("`run: container`"),
}
_AWAIT: Final[Mapping[str, Field]] = {
    "await": Field(Flag()),
    "return": Field(Text(choices=("stdout", "stderr", "code", "all", "none"))),
}
RUN: Final = ByKey(
    {name: Record({name: Field(shape), **_AWAIT}, title="`run`") for name, shape in _RUNS.items()},
    title="`run`",
)

_FOR: Final = Record(
    {
        "each": Field(VARIABLE),
        "in": Field(ByKind(text=BARE, list=ListOf(ANY)), required=True),
        "at": Field(VARIABLE),
    },
    title="`for`",
)
_CASE: Final = Record({"when": Field(BARE), "then": Field(NAME, required=True)}, title="a case")
_FORK: Final = Record(
    {
        "branches": Field(
            ListOf(SingleKeyMap(TASK), min=1, max=limits.FORK_BRANCHES, what="a list of tasks"), required=True
        ),
        "compete": Field(Flag()),
    },
    title="`fork`",
)
_RAISE: Final = Record({"error": Field(ByKind(text=NAME, map=ERROR), required=True)}, title="`raise`")

KINDS: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "for": _task("a `for` task", "while", for_=_FOR, while_=BARE, do=TASKS),
        "try": _task("a `try` task", try_=TASKS, catch=CATCH),
        "call": CALL,
        "fork": _task("a `fork` task", fork=_FORK),
        "switch": _task("a `switch` task", switch=ListOf(SingleKeyMap(_CASE), min=1)),
        "raise": _task("a `raise` task", raise_=_RAISE),
        "run": _task("a `run` task", run=RUN),
        "set": _task("a `set` task", set=ByKind(text=COMPUTED, map=MapOf(ANY, min=1))),
        "wait": _task("a `wait` task", wait=DURATION),
        "emit": _task("an `emit` task", emit=NotYet("`emit`")),
        "listen": _task("a `listen` task", "foreach", listen=NotYet("`listen`"), foreach=ANY),
        "do": _task("a `do` task", do=TASKS),
    }
)

DEFINITIONS: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "tasks": ListOf(SingleKeyMap(TASK), max=limits.GRAPH_TASKS, what="a list of tasks"),
        "task": ByKey(KINDS, title="a task"),
    }
)

HEAD: Final = Record(
    {
        "dsl": Field(
            Checked(
                "E1309",
                "text such as `1.0.3`",
                words.dsl_complaint,
                help="write `dsl: 1.0.3`",
            ),
            required=True,
        ),
        "namespace": Field(LABEL, required=True),
        "name": Field(LABEL, required=True),
        "version": Field(SEMVER, required=True),
        "title": Field(Text()),
        "summary": Field(Text()),
        "tags": Field(FREE),
        "metadata": Field(FREE),
    },
    title="`document`",
)
USE: Final = Record(
    {
        "authentications": Field(MapOf(POLICY)),
        "errors": Field(MapOf(ERROR)),
        "functions": Field(MapOf(TASK)),
        "retries": Field(MapOf(RETRY)),
        "secrets": Field(ListOf(NAME)),
        "timeouts": Field(MapOf(TIMEOUT)),
        "catalogs": Field(NotYet("`use.catalogs`")),
        "extensions": Field(NotYet("`use.extensions`")),
    },
    title="`use`",
)
EVALUATE: Final = Record(
    {
        "language": Field(Text(choices=("jq",))),
        "mode": Field(Unless(("loose",), "the evaluation mode", Text(choices=("strict",)))),
    },
    title="`evaluate`",
)

# Other keys may stand at the top, and only there: the lowering warns of them.
DOCUMENT: Final = Record(
    {
        "document": Field(HEAD, required=True),
        "input": Field(INPUT),
        "use": Field(USE),
        "do": Field(TASKS, required=True),
        "timeout": Field(ByKind(text=NAME, map=TIMEOUT)),
        "output": Field(OUTPUT),
        "schedule": Field(NotYet("`schedule`")),
        "evaluate": Field(EVALUATE),
    },
    open=True,
    title="a workflow document",
)
