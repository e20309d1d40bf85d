"""Functions that lie elsewhere: in a catalog, or at a URI of their own. See `linking`.

A function of a catalog is `NAME:VERSION@CATALOG` and lies at `functions/NAME/VERSION/function.yaml` there.
The catalog `default` is the one that comes with Dirigent, unless the document defines one of that name.
"""

from __future__ import annotations

import re
from typing import Final

from dirigent.lang.shape import nearest, shortened
from dirigent.lang.tree import Leaf, Member
from dirigent.lang.workflow import words
from dirigent.lang.workflow.calls.endpoints import elsewhere
from dirigent.lang.workflow.reading import WORKFLOW_INPUT, Reading, Scope, complain, member_of
from dirigent.model.program import ELSEWHERE, Call
from dirigent.model.values import Template

DEFAULT: Final = "default"
OURS: Final = "catalog:default"

_CATALOGUED: Final = re.compile(r"(?P<name>[^:@/]+):(?P<version>[^:@/]+)@(?P<catalog>[^:@/]+)")


def is_elsewhere(name: str) -> bool:
    """Return whether a call names a function that is not one of the document."""
    return "@" in name or "://" in name


def lower_elsewhere(reading: Reading, called: Leaf, name: str, scope: Scope) -> Call | None:
    """Return what stands for a function until it is put in its place; None where nothing is known of it."""
    source = _source(reading, called, name, scope.given(WORKFLOW_INPUT))
    if source is None:
        return None
    chain: list[Template] = [*scope.calls]
    return Call(ELSEWHERE, {"name": name, "source": source, "calls": chain, "depth": scope.depth})


def catalog(reading: Reading, member: Member, scope: Scope) -> None:
    """Read a catalog that nobody may use."""
    kept = dict(reading.elsewhere)
    elsewhere(reading, member_of(member.node, "endpoint"), scope.given(WORKFLOW_INPUT), "/functions")
    reading.elsewhere.clear()
    reading.elsewhere.update(kept)


def _source(reading: Reading, called: Leaf, name: str, scope: Scope) -> Template:
    if "://" in name:
        complaint = words.document_complaint(name)
        if complaint or "{" in name:
            complain(reading, "E1943", complaint or "a function is named in full", called.span, _FORM)
            return None
        return elsewhere(reading, called, scope)
    found = _CATALOGUED.fullmatch(name)
    if found is None:
        message = f"`{shortened(name)}` names no function of a catalog"
        complain(reading, "E1943", message, called.span, _FORM, label="not `NAME:VERSION@CATALOG`")
        return None
    path = f"/functions/{found['name']}/{found['version']}/function.yaml"
    known = reading.uses.catalogs
    if found["catalog"] in known:
        return elsewhere(reading, member_of(known[found["catalog"]].node, "endpoint"), scope, path)
    if found["catalog"] == DEFAULT:
        reading.elsewhere.setdefault(OURS + path)
        return {"endpoint": OURS + path, "authentication": None}
    meant = nearest(found["catalog"], (*known, DEFAULT))
    complain(
        reading,
        "E1306",
        f"`{shortened(found['catalog'])}` is not defined in `use.catalogs`",
        called.span,
        f"change it to `{meant}`" if meant else "define it under `use.catalogs`",
        label=f"did you mean `{meant}`?" if meant else "no such catalog",
    )
    return None


_FORM: Final = "write `NAME:VERSION@CATALOG`, as `log:1.0.0@default`, or the URI of a `function.yaml`"
