"""From the section `policy` to what it says."""

from __future__ import annotations

from typing import Final

from dirigent.lang.stack.reading import Reading, mapping_of, text_of
from dirigent.lang.tree import Items, Members, Node, plain
from dirigent.model.plan import ApplyPolicy, OnFailure
from dirigent.model.program import OnDoubt
from dirigent.model.run.retention import Retention, age_seconds
from dirigent.model.stack import Identity, Network

_AGES: Final = ("completed", "failed", "cancelled", "events")


def read_doubt(policy: Members | None) -> OnDoubt:
    """Return `policy.doubt`; without it, and for a word that was refused, a person is asked."""
    wanted = text_of(policy.get("doubt")) if policy is not None else None
    return next((each for each in OnDoubt if each.value == wanted), OnDoubt.HOLD)


def read_apply(policy: Members | None) -> ApplyPolicy:
    """Return `policy.apply`; what was refused is as if it were not written."""
    found = mapping_of(policy.get("apply")) if policy is not None else None
    if found is None:
        return ApplyPolicy()
    word, usual = text_of(found.get("on-failure")), ApplyPolicy()
    on_failure = next((each for each in OnFailure if each.value == word), usual.on_failure)
    parallel = found.members.get("parallel")
    number = plain(parallel.node) if parallel is not None else None
    return ApplyPolicy(on_failure, number if isinstance(number, int) else usual.parallel)


def read_retention(policy: Members | None) -> Retention:
    """Return `policy.retention`; without it everything is kept for ever."""
    found = mapping_of(policy.get("retention")) if policy is not None else None
    if found is None:
        return Retention()
    ages = {name: age_seconds(text_of(found.get(name)) or "") for name in _AGES}
    runs = found.members.get("runs")
    most = plain(runs.node) if runs is not None else None
    return Retention(**ages, runs=most if isinstance(most, int) else None)


def read_network(reading: Reading, policy: Members | None) -> Network:
    """Return how the stack's calls are made; report a pass phrase that is no declared secret (E1983)."""
    http = mapping_of(policy.get("http")) if policy is not None else None
    if http is None:
        return Network()
    timeout, listed = mapping_of(http.get("timeout")), mapping_of(http.get("certificates"))
    seconds = {
        name: age_seconds(text_of(timeout.get(name)) or "") if timeout is not None else None
        for name in ("connect", "total")
    }
    identities = {}
    for member in listed or ():
        found = mapping_of(member.node)
        if found is not None:
            words = {name: text_of(found.get(name)) or "" for name in ("certificate", "key", "password")}
            identities[member.key] = Identity(**words)
            _check_password(reading, found, words["password"])
    authorities = text_of(http.get("authorities")) or ""
    tls = _hosts(http.get("tls"))
    return Network(seconds["connect"], seconds["total"], authorities, identities, tls)


def _check_password(reading: Reading, found: Members, name: str) -> None:
    if name and name not in reading.secrets:
        reading.complain(
            "E1983",
            f"the pass phrase of a key is the secret `{name}`, which the stack does not declare",
            found.members["password"].node.span,
            "no such secret",
            "declare it under `secrets`; the pass phrase itself never stands in a stack",
        )


def read_hosts(policy: Members | None) -> tuple[str, ...]:
    """Return the hosts of `policy.http.hosts`, each once."""
    http = mapping_of(policy.get("http")) if policy is not None else None
    return _hosts(http.get("hosts") if http is not None else None)


def _hosts(node: Node | None) -> tuple[str, ...]:
    if not isinstance(node, Items):
        return ()
    return tuple(dict.fromkeys(text for item in node.items if (text := text_of(item)) is not None))
