"""What a service looks like in a stack file: the one table from which check, schema and docs come."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import (
    ByKey,
    ByKind,
    Field,
    Fixed,
    Flag,
    ListOf,
    MapOf,
    Number,
    Record,
    Shape,
    Text,
    Whole,
)
from dirigent.lang.stack import TypeShape
from dirigent.model import limits
from dirigent.model.duration import UNITS
from dirigent.providers.services.configuration import COUNT_MAX, PORT_MAX

_DURATION: Final = ByKind(
    number=Number(min=0, what="seconds"),
    text=Text(r"P(?=.)[0-9.,YMWDTHS]+", what="an ISO 8601 duration such as `PT30S`"),
    map=Record({unit: Field(Number(min=0)) for unit in UNITS}, title="a duration"),
)
_WORD: Final = ByKind(text=Text(), number=Number(), flag=Flag())
_COMMAND: Final = ListOf(_WORD, min=1, what="a list of a program and its arguments")
_COUNT: Final = Whole(min=1, max=COUNT_MAX)

_TIMING: Final[dict[str, Field]] = {
    "interval": Field(_DURATION, description="time from one check to the next; 2 seconds"),
    "timeout": Field(_DURATION, description="time that one check may take; 2 seconds"),
    "healthy": Field(_COUNT, description="checks in a row that make a replica healthy; 1"),
    "unhealthy": Field(_COUNT, description="failed checks in a row after which it is restarted; 3"),
    "within": Field(
        _DURATION, description=f"time to become healthy; {limits.SERVICE_READY_SECONDS:g} seconds"
    ),
}


def _check(name: str, shape: Shape, description: str) -> Record:
    return Record({name: Field(shape, required=True, description=description), **_TIMING}, title="`health`")


_HEALTH: Final = ByKey(
    {
        "http": _check(
            "http",
            Text("/[^ \\t\\r\\n]*", what="a path such as `/health`"),
            "a path that answers 2xx or 3xx when the replica is well",
        ),
        "tcp": _check("tcp", Flag(), "well when its port takes connections"),
        "command": _check("command", _COMMAND, "well when this command ends with exit code 0"),
        "alive": _check("alive", Flag(), "well when it has run for one interval; for what does not listen"),
    },
    title="`health`",
)
_RESTART: Final = Record(
    {
        "delay": Field(
            _DURATION, description="delay before the first restart, doubled each time; 0.5 seconds"
        ),
        "most": Field(_DURATION, description=f"longest delay; {limits.SERVICE_BACKOFF_SECONDS:g} seconds"),
        "reset": Field(_DURATION, description="life after which the delay starts over; 10 seconds"),
        "max": Field(
            Whole(min=0, max=limits.RETRIES), description="restarts in a row, then it is given up; no limit"
        ),
    },
    title="`restart`",
)
_STOP: Final = Record(
    {
        "grace": Field(
            _DURATION,
            description=f"time from TERM to KILL; {limits.PROCESS_GRACE_SECONDS:g} seconds",
        )
    },
    title="`stop`",
)

SERVICE: Final = TypeShape(
    description="a long-running program with replicas, health checks and a stable address",
    beside={
        "runtime": Field(
            Fixed(Text(choices=("process",))), description="where it runs: `process`, on this machine"
        ),
        "replicas": Field(Whole(min=0, max=limits.SERVICE_REPLICAS), description="how many run at once; 1"),
    },
    inside=Record(
        {
            "command": Field(
                _COMMAND,
                required=True,
                description="the program and its arguments; `{port}` stands for the port of a replica",
            ),
            "environment": Field(
                MapOf(_WORD), description="variables; `{port}` is filled in, and PORT is always there"
            ),
            "directory": Field(Text(min_length=1), description="working directory, from the stack's folder"),
            "port": Field(
                ByKind(
                    text=Text(choices=("auto",)),
                    number=Whole(min=1, max=PORT_MAX, what="a port from 1 to 65535"),
                ),
                description="port of the stable address; `auto` chooses one and keeps it",
            ),
            "health": Field(_HEALTH, description="how a replica shows that it is well; `tcp: true`"),
            "restart": Field(_RESTART, description="what follows when a replica ends"),
            "stop": Field(_STOP, description="how a replica is ended"),
        },
        title="a service",
    ),
)
