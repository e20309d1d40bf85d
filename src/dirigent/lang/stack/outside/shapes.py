"""What `events` of a stack may hold."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import AnyValue, ByKey, Field, Flag, ListOf, MapOf, Record, Templates, Text, Whole
from dirigent.lang.workflow.shapes.network.endpoints import WEB
from dirigent.model import limits

_PATTERNS: Final = ListOf(
    Text(min_length=1, what="a text in which `*` stands for any, as `com.example.*`"), min=1
)
_FILTER: Final = {
    "types": Field(_PATTERNS, description="types of events, as `com.example.*` (default: all)"),
    "sources": Field(_PATTERNS, description="sources of events, as `/shop/*` (default: all)"),
}

SINK: Final = ByKey(
    {
        "stdout": Record(
            {"stdout": Field(Flag(), required=True, description="lines of JSON"), **_FILTER},
            title="a sink",
        ),
        "file": Record(
            {
                "file": Field(
                    Text(min_length=1, what="the path of a file"),
                    required=True,
                    description="a file that lines of JSON are added to, from the stack's folder",
                ),
                **_FILTER,
            },
            title="a sink",
        ),
        "http": Record(
            {
                "http": Field(WEB, required=True, description="an endpoint, with its authentication"),
                "mode": Field(
                    Text(choices=("structured", "binary"), what="`structured` or `binary`"),
                    description="an event whole as JSON, or its attributes in headers",
                ),
                "batch": Field(
                    Whole(min=1, max=limits.EVENTS_TOGETHER),
                    description="send up to so many together, as a list",
                ),
                **_FILTER,
            },
            title="a sink",
        ),
    },
    title="a sink",
    what="a sink, as `{file: events.jsonl}`",
)

_SETUP: Final = {
    "with": Field(
        Templates(MapOf(AnyValue()), whole=False), description="what the provider itself wants to know"
    ),
    "parallel": Field(
        Whole(min=1, max=limits.PROVIDER_PARALLEL_MAX),
        description="how many of its objects may change at a time (default: 10)",
    ),
}
PROVIDER: Final = ByKey(
    {
        "of": Record(
            {
                "of": Field(
                    Text(min_length=1, what="the name of another entry"),
                    required=True,
                    description="the entry that this is another configuration of",
                ),
                **_SETUP,
            },
            title="another configuration of a provider",
        ),
        "source": Record(
            {
                "source": Field(
                    Text(min_length=1, what="`NAMESPACE/TYPE` or `HOST/NAMESPACE/TYPE`"),
                    required=True,
                    description="where it comes from: `NAMESPACE/TYPE` or `HOST/NAMESPACE/TYPE`",
                ),
                "version": Field(
                    Text(min_length=1, what="a version constraint"),
                    description="what releases will do, as `~> 2.5` or `>= 1.2, < 2` (default: any)",
                ),
                **_SETUP,
            },
            title="a provider",
        ),
    },
    title="a provider",
)
