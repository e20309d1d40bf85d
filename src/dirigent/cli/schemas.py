"""JSON Schemas of what `--json` prints: a public contract, checked against real answers by the tests."""

from __future__ import annotations

from typing import Final

from dirigent.cli.answer import Json

_TEXT: Final[Json] = {"type": "string"}
_NUMBER: Final[Json] = {"type": "number"}
_COUNT: Final[Json] = {"type": "integer", "minimum": 0}
_FLAG: Final[Json] = {"type": "boolean"}
_ANY: Final[Json] = {}


def _maybe(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(schema: Json) -> Json:
    return {"type": "array", "items": schema}


def _object(**members: Json) -> Json:
    return {
        "type": "object",
        "properties": dict(members),
        "required": list(members),
        "additionalProperties": False,
    }


_SPAN: Final = _maybe(_object(file=_TEXT, line=_COUNT, column=_COUNT, endLine=_COUNT, endColumn=_COUNT))
_PROBLEM: Final = _object(
    code={"type": "string", "pattern": "^[EW][0-9]{4}$"},
    severity={"enum": ["error", "warning"]},
    message=_TEXT,
    at=_SPAN,
    label=_TEXT,
    others=_list(_object(at=_SPAN, text=_TEXT)),
    help=_list(_TEXT),
)
_FAULT: Final[Json] = _maybe(
    {
        "type": "object",
        "properties": {
            "type": _TEXT,
            "status": {"type": "integer"},
            "title": _TEXT,
            "detail": _TEXT,
            "instance": _TEXT,
            "at": _SPAN,
        },
        "required": ["type", "status", "at"],
        "additionalProperties": False,
    }
)
_DIFFERENCE: Final = _object(path=_TEXT, before=_ANY, after=_ANY, forcesReplacement=_FLAG, at=_SPAN)
_CHANGE: Final = _object(
    address=_TEXT,
    type=_TEXT,
    action={
        "enum": ["create", "update", "replace", "delete", "forget", "release", "adopt", "read", "keep"],
    },
    because=_TEXT,
    drifted=_FLAG,
    protected=_FLAG,
    createFirst=_FLAG,
    loses=_maybe(_TEXT),
    leavesFormer=_FLAG,
    deferred=_FLAG,
    movedFrom=_maybe(_TEXT),
    importedAs=_maybe(_TEXT),
    needs=_list(_TEXT),
    differences=_list(_DIFFERENCE),
    warnings=_list(_TEXT),
    at=_SPAN,
)
_CHECKS: Final = _list(
    _object(
        owner=_TEXT,
        when={"enum": ["before", "after", "end"]},
        that=_TEXT,
        holds=_maybe(_FLAG),
        warns=_FLAG,
        message=_TEXT,
        seen={"type": "object"},
        at=_SPAN,
    )
)
_PLAN: Final = _object(
    format={"const": 1},
    id=_TEXT,
    stack=_TEXT,
    destroy=_FLAG,
    partial=_FLAG,
    targets=_list(_TEXT),
    exclude=_list(_TEXT),
    replace=_list(_TEXT),
    leftOut=_list(_TEXT),
    at=_NUMBER,
    changes=_list(_CHANGE),
    dangers=_object(replace={"type": "integer"}, delete={"type": "integer"}, dataLoss={"type": "integer"}),
    outputs={"type": "object"},
    checks=_CHECKS,
    onFailure={"enum": ["keep", "pause", "compensate"]},
    rollback=_TEXT,
    notTakenBack=_list(_object(address=_TEXT, action=_TEXT, why=_TEXT, stays=_FLAG)),
)
_SUMMARY: Final = _object(
    id=_TEXT,
    name=_TEXT,
    kind={"enum": ["workflow", "apply"]},
    phase=_TEXT,
    createdAt=_NUMBER,
    endedAt=_maybe(_NUMBER),
    parent=_maybe(_TEXT),
    fault=_FAULT,
)
_ROW: Final = _object(
    address=_TEXT,
    type=_TEXT,
    attributes={"type": "object"},
    needs=_list(_TEXT),
    tainted=_FLAG,
    protected=_FLAG,
)
_TASK: Final = _object(
    position=_TEXT,
    pointer=_TEXT,
    name=_TEXT,
    kind=_TEXT,
    status=_TEXT,
    depth=_COUNT,
    attempt=_COUNT,
    startedAt=_NUMBER,
    endedAt=_maybe(_NUMBER),
    until=_maybe(_NUMBER),
    reason=_TEXT,
    evidence={"type": "object"},
    at=_SPAN,
)

_OUTLINE: Final[dict[str, Json]] = {
    **dict.fromkeys(("name", "what", "description", "deprecated"), _TEXT),
    "said": _list(_TEXT),
    "properties": _list({"type": "object"}),
}
_UP: Final = _object(
    plan=_PLAN,
    run=_maybe(_TEXT),
    phase=_maybe(_TEXT),
    fault=_FAULT,
    outputs={"type": "object"},
    checks=_CHECKS,
)
_LOCKED: Final = _object(
    providers=_list(
        _object(
            source=_TEXT,
            version=_TEXT,
            before=_maybe(_TEXT),
            origin=_maybe(_TEXT),
            signedBy=_maybe(_TEXT),
            hashes={"type": "object", "additionalProperties": _list(_TEXT)},
        )
    ),
    written=_FLAG,
)
_MIRRORED: Final = _object(
    folder=_TEXT,
    providers=_list(_object(source=_TEXT, version=_TEXT, origin=_TEXT, paths=_list(_TEXT))),
)
_LISTED: Final = _object(
    providers=_list(
        _object(
            name=_TEXT,
            source=_TEXT,
            of=_maybe(_TEXT),
            wanted=_maybe(_TEXT),
            locked=_maybe(_TEXT),
            version=_maybe(_TEXT),
            program=_maybe(_TEXT),
            sha256=_maybe(_TEXT),
            problem=_maybe(_PROBLEM),
        )
    )
)
_OFFERED: Final = _object(format_version=_TEXT, provider_schemas={"type": "object"})
_SCHEDULES: Final = _object(
    schedules=_list(
        _object(
            name=_TEXT,
            run=_TEXT,
            when=_TEXT,
            state={"enum": ["active", "paused"]},
            next=_maybe(_NUMBER),
            last=_maybe(_TEXT),
            outcome=_maybe(_TEXT),
            missed=_COUNT,
            schedule={"type": "object"},
        )
    )
)
_COMING: Final = _object(next=_list(_object(name=_TEXT, at=_NUMBER, due=_NUMBER, skipped=_maybe(_TEXT))))
_FILLED: Final = _object(runs=_list(_object(at=_NUMBER, run=_TEXT, started=_FLAG)))
_MANAGED: Final = _object(resources=_list(_ROW))
_MANAGED_ONE: Final = _object(resource=_ROW, provider=_TEXT, config={"type": "object"})
_HISTORY: Final = _object(
    address=_TEXT,
    revisions=_list(
        _object(
            number=_COUNT,
            at=_NUMBER,
            run=_TEXT,
            what={"enum": ["created", "changed", "deleted"]},
            differences=_list(_DIFFERENCE),
            attributes=_maybe({"type": "object"}),
        )
    ),
)
_EXPORTED: Final = _object(
    file=_maybe(_TEXT),
    lineage=_TEXT,
    serial=_COUNT,
    resources=_COUNT,
    leftOut={"type": "object", "additionalProperties": _COUNT},
)
_RUN: Final = _object(run=_TEXT, phase=_TEXT, output=_ANY, fault=_FAULT)
_CONTROL: Final = _object(run=_TEXT, phase=_TEXT)

# By the command that gives the answer; `problems` is the answer of each that refuses.
_SCHEMAS: Final[dict[str, Json]] = {
    "problems": _object(problems=_list(_PROBLEM)),
    "init": _object(files=_list(_TEXT)),
    "check": _object(file=_TEXT, what=_TEXT, problems=_list(_PROBLEM)),
    "schema": {"type": "object", "required": ["$schema"]},
    # Of all types, or of one; what its properties hold is told in the same words.
    "explain": {
        "oneOf": [
            _object(types=_list(_object(type=_TEXT, provider=_TEXT, description=_TEXT))),
            _object(
                type=_TEXT,
                provider=_TEXT,
                path=_list(_TEXT),
                **_OUTLINE,
                beside=_list(_object(**_OUTLINE)),
                example=_ANY,
            ),
        ]
    },
    "plan": _PLAN,
    "up": _UP,
    "move": _UP,
    "forget": _UP,
    "import": _UP,
    "down": _UP,
    "query": _object(objects=_list(_object(id=_TEXT, name=_TEXT, managed=_maybe(_TEXT))), whole=_FLAG),
    "rollback": {"oneOf": [_PLAN, _UP]},
    "revisions": _object(
        revisions=_list(
            _object(
                run=_TEXT,
                phase=_TEXT,
                createdAt=_NUMBER,
                endedAt=_maybe(_NUMBER),
                plan=_TEXT,
                changes={"type": "object"},
                rollback=_TEXT,
            )
        )
    ),
    "run": _RUN,
    "resume": _RUN,
    "retry": _RUN,
    "skip": _RUN,
    "set-output": _RUN,
    "rerun": _RUN,
    "ps": _object(
        runs=_list(_SUMMARY), resources=_list(_ROW), leftOut=_list(_object(run=_TEXT, code=_TEXT, why=_TEXT))
    ),
    "show": _object(
        id=_TEXT,
        name=_TEXT,
        kind=_TEXT,
        phase=_TEXT,
        createdAt=_NUMBER,
        endedAt=_maybe(_NUMBER),
        facts=_COUNT,
        input=_ANY,
        output=_ANY,
        fault=_FAULT,
        tasks=_list(_TASK),
        checks=_CHECKS,
    ),
    # One document a line.
    "events": {
        "oneOf": [
            {
                "type": "object",
                "properties": {"n": _COUNT, "fact": _TEXT, "at": _NUMBER},
                "required": ["n", "fact", "at"],
            },
            _object(place=_list(_COUNT), at=_NUMBER, run=_maybe(_TEXT), event={"type": "object"}),
            _object(sink=_TEXT, waiting=_COUNT, types=_list(_TEXT), sources=_list(_TEXT)),
        ]
    },
    "logs": _object(
        at=_NUMBER, replica=_maybe(_COUNT), stream={"enum": ["out", "err", "steward"]}, text=_TEXT
    ),
    "queues": _object(
        queues=_list(
            _object(
                name=_TEXT,
                waiting=_COUNT,
                running=_COUNT,
                oldest=_maybe(_NUMBER),
                concurrency=_COUNT,
                rate=_TEXT,
                workers=_maybe(_COUNT),
            )
        )
    ),
    "test": _object(
        passed=_COUNT,
        failed=_COUNT,
        tests=_list(
            _object(
                file=_TEXT,
                name=_TEXT,
                passed=_FLAG,
                phase=_TEXT,
                output=_ANY,
                fault=_FAULT,
                elapsed=_NUMBER,
                seconds=_NUMBER,
                problems=_list(_PROBLEM),
            )
        ),
    ),
    # It talks to the engine, and prints nothing.
    "worker": _object(),
    "cancel": _CONTROL,
    "suspend": _CONTROL,
    "signal": _object(run=_TEXT, event=_TEXT),
    "emit": _list(_object(source=_TEXT, id=_TEXT, type=_TEXT, new=_FLAG)),
    # It prints nothing but lines for people.
    "serve": _object(),
    # Of `providers lock`, `mirror`, `list`, and of `schema`, as others give it.
    "providers": {"oneOf": [_LOCKED, _MIRRORED, _LISTED, _OFFERED]},
    # Of `schedule list`, `next`, `backfill`, and of `pause` and `resume`.
    "schedule": {"oneOf": [_SCHEDULES, _COMING, _FILLED, _object(name=_TEXT, state=_TEXT)]},
    # Of `store copy`: every kind of record.
    "store": {"type": "object", "additionalProperties": _object(count=_COUNT, digest=_TEXT)},
    "state": {"oneOf": [_MANAGED, _MANAGED_ONE, _HISTORY, _EXPORTED, _UP]},
    "drift": _object(drifted=_list(_CHANGE)),
    "prune": _object(runs=_COUNT, facts=_COUNT, blobs=_COUNT, events=_COUNT, bytes=_COUNT, dry=_FLAG),
    "import-run": _object(run=_TEXT, facts=_COUNT, open=_FLAG),
    "doctor": _object(
        checks=_list(_object(id=_TEXT, status={"enum": ["ok", "warn", "fail"]}, found=_TEXT, remedy=_TEXT))
    ),
    "version": _object(version=_TEXT),
}
NAMES: Final = tuple(_SCHEMAS)


def schema_of(name: str) -> dict[str, Json]:
    """Return the schema of an output, of draft 2020-12."""
    schema = _SCHEMAS[name]
    members = schema if isinstance(schema, dict) else {}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"dirigent {name}", **members}
