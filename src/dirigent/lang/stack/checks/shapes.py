"""What checks look like, of a resource and of a stack."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import ExpressionText, Field, ListOf, MapOf, Record, Templates, Text

_LABEL: Final = "[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_LABEL_WORDS: Final = "1 to 63 lower-case letters, digits and hyphens that begin with a letter, as `site-up`"

_THAT: Final = Field(
    ExpressionText(what="a condition, as `${ $inputs.port > 1023 }`"),
    required=True,
    description="the condition, an expression that gives true or false",
)
_MESSAGE: Final = Field(
    Templates(Text(min_length=1, what="what is wrong when the condition does not hold")),
    required=True,
    description="what is wrong when the condition does not hold; it may be an expression",
)
_CHECK: Final = Record(
    {
        "that": _THAT,
        "message": _MESSAGE,
        "on-failure": Field(
            Text(choices=("stop", "warn"), what="`stop` or `warn`"),
            description="whether what does not hold stops the plan or the step (default), or is only said",
        ),
    },
    title="a check",
    what="a check with `that` and `message`",
)

CHECKS: Final = Record(
    {
        "before": Field(
            ListOf(_CHECK, min=1),
            description="what must hold before it is changed: asked when the plan is made, else in the run",
        ),
        "after": Field(
            ListOf(_CHECK, min=1),
            description="what must hold of it as it stands then, which is `$self`",
        ),
    },
    title="`checks`",
    what="`before:` and `after:`, each with a list of checks",
)

STACK_CHECKS: Final = MapOf(
    Record({"that": _THAT, "message": _MESSAGE}, title="a check of the stack"), _LABEL, _LABEL_WORDS
)
