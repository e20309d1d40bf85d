"""What `policy` of a stack may hold."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import ByKey, ExpressionText, Field, ListOf, MapOf, Record, Text, Whole
from dirigent.model import limits
from dirigent.model.run.retention import AGE_PATTERN

_HOST: Final = (
    r"(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?"
)
_AGE: Final = Text(AGE_PATTERN, what="an age as `30d`, `12h` or `90m`")

_REFERENCE: Final = ByKey(
    {
        place: Record(
            {place: Field(Text(min_length=1, what=f"a name in the {place}"), required=True)},
            title="`reference`",
        )
        for place in ("header", "query", "body")
    },
    title="`reference`",
    what="the place of the reference, as `{header: X-Request-Id}`",
)

PROBE: Final = Record(
    {
        "call": Field(
            Text(
                r"(?:POST|PATCH) https?://[^\s?#]+",
                what="a method and a URL, as `POST https://api.example.com/payments`",
            ),
            required=True,
            description="the calls that this is about; `{name}` in the URL stands for any one segment",
        ),
        "reference": Field(
            _REFERENCE, required=True, description="where the call carries what it is found by later"
        ),
        "ask": Field(
            Text(
                r"https?://[^\s#]*\{reference\}[^\s#]*",
                what="a URL with `{reference}`, as `https://api.example.com/payments?reference={reference}`",
            ),
            required=True,
            description="what is got to learn whether the call was carried out",
        ),
        "found": Field(
            ExpressionText(bare=True),
            description="jq over the answer's content: null or false says no, all else is the call's content",
        ),
        "settle": Field(
            Text(AGE_PATTERN, what="a time as `2s`"), description="how long to wait before asking"
        ),
    },
    title="a probe",
)

_TIMEOUT: Final = Record(
    {
        name: Field(Text("[1-9][0-9]{0,3}[sm]", what="a time as `30s` or `5m`"))
        for name in ("connect", "total")
    },
    title="`timeout`",
)
_IDENTITY: Final = Record(
    {
        "certificate": Field(
            Text(min_length=1, what="a path"), required=True, description="a PEM file: the certificate"
        ),
        "key": Field(
            Text(min_length=1, what="a path"), description="a PEM file: its key, unless it is in the same"
        ),
        "password": Field(
            Text(min_length=1, what="the name of a secret"),
            description="the secret that is the pass phrase of the key",
        ),
    },
    title="a certificate",
)

POLICY: Final = Record(
    {
        "http": Field(
            Record(
                {
                    "hosts": Field(
                        ListOf(Text(_HOST, what="a host name such as `api.example.com`")),
                        description="hosts that HTTP calls may reach beside those a workflow names",
                    ),
                    "tls": Field(
                        ListOf(Text(_HOST, what="a host name such as `api.example.com`")),
                        description="servers that gRPC speaks to over TLS, whatever their port",
                    ),
                    "timeout": Field(_TIMEOUT, description="how long calls may take"),
                    "authorities": Field(
                        Text(min_length=1, what="a path"),
                        description="a PEM file of authorities that are trusted beside those of the machine",
                    ),
                    "certificates": Field(
                        MapOf(_IDENTITY, _HOST, "a host name such as `api.example.com`"),
                        description="what calls show of themselves, by host",
                    ),
                    "probes": Field(
                        ListOf(PROBE),
                        description="how servers are asked whether they carried a call out",
                    ),
                },
                title="`policy.http`",
            )
        ),
        "doubt": Field(
            Text(choices=("hold", "repeat", "skip")),
            description="what becomes of an effect of which nobody can say whether it happened",
        ),
        "apply": Field(
            Record(
                {
                    "on-failure": Field(
                        Text(choices=("keep", "pause", "compensate")),
                        description="when a step fails: keep what was done, hold the step, or take all back",
                    ),
                    "parallel": Field(
                        Whole(min=1, max=limits.CALLS_AT_ONCE),
                        description="how many steps may be under way at once (default: 16)",
                    ),
                },
                title="`policy.apply`",
            ),
            description="how plans are carried out",
        ),
        "retention": Field(
            Record(
                {
                    "completed": Field(_AGE, description="how long completed runs are kept"),
                    "failed": Field(_AGE, description="how long failed runs are kept"),
                    "cancelled": Field(_AGE, description="how long cancelled runs are kept"),
                    "events": Field(_AGE, description="how long events are kept (default: 7d)"),
                    "runs": Field(Whole(min=0), description="how many ended runs are kept at most"),
                },
                title="`policy.retention`",
            ),
            description="how long runs are kept that have ended; without it, for ever",
        ),
    },
    title="`policy`",
)
