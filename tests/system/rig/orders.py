"""What can be seen of an order: the ledgers of the services, and the journal of its run."""

import json
import re
import sqlite3
from collections import Counter

from dirigent.model.run.journal import Ended, Failed, Intended, Succeeded
from system.rig.shop import REPLICAS, Differs, same

# Each order gets ids of its own from the services.
NUMBERS = re.compile(r"\b(charge|reservation|shipment)-[0-9]+")


def ledger(shop, order):
    """Return what the services did for an order, oldest first."""
    found = []
    for service in REPLICAS:
        with sqlite3.connect(f"file:{shop.folder}/run/data/{service}.db?mode=ro", uri=True) as store:
            found += store.execute('SELECT at, act FROM ledger WHERE "order" = ?', (order,)).fetchall()
        store.close()
    return [act for _, act in sorted(found)]


def order_seen(shop, order):
    """Return an order as it ended: its phase, output, ledger, and the attempts of every effect."""
    facts = shop.journal(order)
    ended = facts[-1] if facts else None
    if not isinstance(ended, Ended):
        raise Differs(f"order {order} has not ended: {ended}")
    output = NUMBERS.sub(r"\1-N", json.dumps(ended.output, sort_keys=True).replace(order, "ORDER"))
    intents = Counter((fact.position, fact.attempt) for fact in facts if isinstance(fact, Intended))
    results = Counter((f.position, f.attempt) for f in facts if isinstance(f, Succeeded | Failed))
    same(f"intents of {order} that are twice in the journal", [k for k, n in intents.items() if n > 1], [])
    same(f"intents of {order} without a result", set(intents) - set(results), set())
    return {
        "phase": ended.phase,
        "output": json.loads(output),
        "ledger": ledger(shop, order),
        "attempts": dict(sorted(Counter(position for position, _ in intents).items())),
    }
