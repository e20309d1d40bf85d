"""The section `use`: what documents refer to by name. `uses_of` reads a new part, `check_uses` checks it."""

from __future__ import annotations

from collections.abc import Mapping

from dirigent.lang.shape import shortened
from dirigent.lang.tree import Items, Member, Node
from dirigent.lang.workflow import dataflow
from dirigent.lang.workflow.calls.catalogs import catalog
from dirigent.lang.workflow.calls.security import policy
from dirigent.lang.workflow.directives import names_of
from dirigent.lang.workflow.reading import (
    Reading,
    Scope,
    Uses,
    complain,
    entries_of,
    member_of,
    steps_of,
    text_of,
)
from dirigent.lang.workflow.tasks import errors
from dirigent.lang.workflow.tasks.task import extension, task


def uses_of(node: Node) -> Uses:
    """Return what `use` defines."""
    use = member_of(node, "use")
    secrets = member_of(use, "secrets")
    names = [text_of(item) for item in secrets.items] if isinstance(secrets, Items) else []

    def section(name: str) -> Mapping[str, Member]:
        return entries_of(member_of(use, name))

    return Uses(
        authentications=section("authentications"),
        errors=section("errors"),
        functions=section("functions"),
        retries=section("retries"),
        timeouts=section("timeouts"),
        secrets=tuple(dict.fromkeys(name for name in names if name is not None)),
        catalogs=section("catalogs"),
        extensions=tuple(member for _, member in steps_of(member_of(use, "extensions"))),
    )


def check_uses(reading: Reading) -> None:
    """Read what nobody may use, too. The variables of a definition are those of the place that uses it."""
    scope = Scope(open=True).at("use")
    uses = reading.uses
    for member in uses.errors.values():
        errors.error(reading, member.node, scope)
    for member in uses.retries.values():
        errors.retry(reading, member.node, scope)
    for member in uses.authentications.values():
        policy(reading, member.node, scope)
    for member in uses.timeouts.values():
        dataflow.duration(reading, member_of(member.node, "after"), scope)
    for member in uses.catalogs.values():
        catalog(reading, member, scope)
    for name, member in uses.functions.items():
        task(reading, member, Scope(calls=(name,)).at("use", "functions", name))
    names_of(reading, uses.extensions, "extension")
    for number, member in enumerate(uses.extensions):
        found = extension(reading, member, Scope().at("use", "extensions", number))
        if found.before is None and found.after is None:
            complain(
                reading,
                "W1942",
                f"the extension `{shortened(member.key)}` puts nothing before or after a task",
                member.key_span,
                "give it `before` or `after`, or remove it",
                label="has no effect",
            )
