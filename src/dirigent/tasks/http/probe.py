"""How a server is asked whether it carried a call out: what `policy.http.probes` of a stack declares.

The call carries a reference, at a place that the server keeps; whoever is in doubt looks for it. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from dirigent.jq import LANGUAGE
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.ports import ExpressionFailed
from dirigent.tasks.http.failure import broken, malformed
from dirigent.tasks.http.message import Call, Output, scalar_text

REFERENCE: Final = "{reference}"
_VARIABLE: Final = re.compile(r"\\\{[A-Za-z_][A-Za-z0-9_]*\\\}")


@dataclass(frozen=True, slots=True)
class Probe:
    """One declaration. `place` is header, query or body, `name` what the reference is called there.

    `ask` is a URL with `{reference}`; `found` is jq over the content of its answer: null or false says
    that the call was not carried out, anything else is the call's content.
    """

    method: str
    url: str
    place: str
    name: str
    ask: str
    found: str
    settle_seconds: float

    def fits(self, call: Call) -> bool:
        """Return whether this is about a call: its method, and its URL without the query."""
        pattern = _VARIABLE.sub("[^/]+", re.escape(self.url))
        bare = call.endpoint.partition("#")[0].partition("?")[0]
        return call.method == self.method and re.fullmatch(pattern, bare) is not None

    def marked(self, call: Call, reference: str) -> Call:
        """Return the call with the reference in its place, unless the author put his own there."""
        if self._own(call) is not None:
            return call
        if self.place == "header":
            return replace(call, headers={**call.headers, self.name: reference})
        if self.place == "query":
            return replace(call, query=tuple(sorted([*call.query, (self.name, reference)])))
        if not isinstance(call.body, dict):
            raise malformed(f"its probe puts `{self.name}` into the body, and the body is no object")
        return replace(call, body={**call.body, self.name: reference})

    def question(self, call: Call) -> Call:
        """Return the call that asks about a marked one, with the same credentials."""
        reference = quote(self._own(call) or "", safe="")
        return Call(
            "GET",
            self.ask.replace(REFERENCE, reference),
            output=Output.CONTENT,
            authentication=call.authentication,
        )

    def verdict(self, content: Value) -> Value:
        """Return what became of the call, None when it was not carried out. Raises `CallFailed`."""
        try:
            found = LANGUAGE.compile(self.found).evaluate(content, {})
        except ExpressionFailed as failure:
            raise broken(f"`found` of its probe cannot be computed from the answer: {failure}") from None
        return None if found is False else found

    def _own(self, call: Call) -> str | None:
        """Return the reference that stands in the call already."""
        if self.place == "header":
            return call.header(self.name)
        if self.place == "query":
            return next((text for name, text in call.query if name == self.name), None)
        given = call.body.get(self.name) if isinstance(call.body, dict) else None
        return None if given is None else scalar_text(given, f"`{self.name}` of the body")


def probe_for(declared: Sequence[Value], call: Call) -> Probe | None:
    """Return the first declaration that is about a call, if there is one."""
    probes = (_probe_of(each) for each in declared if isinstance(each, dict))
    return next((probe for probe in probes if probe.fits(call)), None)


def _probe_of(declared: dict[str, Value]) -> Probe:
    """Return a declaration as the stack's reader recorded it."""
    method, _, url = str(declared["call"]).partition(" ")
    reference, settle = declared["reference"], declared.get("settle")
    place, name = next(iter(reference.items())) if isinstance(reference, dict) else ("header", reference)
    return Probe(
        method=method,
        url=url,
        place=place,
        name=str(name),
        ask=str(declared["ask"]),
        found=str(declared.get("found", ".")),
        settle_seconds=settle if isinstance(settle, int | float) else 0.0,
    )
