"""From the section `policy` to what it says."""

from __future__ import annotations

from dirigent.lang.stack.reading import mapping_of, text_of
from dirigent.lang.tree import Items, Members, plain
from dirigent.model.program import OnDoubt
from dirigent.model.run.retention import Retention, age_seconds


def read_doubt(policy: Members | None) -> OnDoubt:
    """Return `policy.doubt`; without it, and for a word that was refused, a person is asked."""
    wanted = text_of(policy.get("doubt")) if policy is not None else None
    return next((each for each in OnDoubt if each.value == wanted), OnDoubt.HOLD)


def read_retention(policy: Members | None) -> Retention:
    """Return `policy.retention`; without it everything is kept for ever."""
    found = mapping_of(policy.get("retention")) if policy is not None else None
    if found is None:
        return Retention()
    ages = {
        name: age_seconds(text_of(found.get(name)) or "") for name in ("completed", "failed", "cancelled")
    }
    runs = found.members.get("runs")
    most = plain(runs.node) if runs is not None else None
    return Retention(**ages, runs=most if isinstance(most, int) else None)


def read_hosts(policy: Members | None) -> tuple[str, ...]:
    """Return the hosts of `policy.http.hosts`, each once."""
    http = mapping_of(policy.get("http")) if policy is not None else None
    hosts = http.get("hosts") if http is not None else None
    if not isinstance(hosts, Items):
        return ()
    return tuple(dict.fromkeys(text for item in hosts.items if (text := text_of(item)) is not None))
