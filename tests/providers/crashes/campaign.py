"""The campaign of providers: applies of 800 objects killed in the middle, and one of three at every place."""

from collections import Counter

from providers.crashes.places import Raising
from providers.crashes.workshop import Workshop, strike
from providers.zoo.chance import Chance
from system.conftest import forged
from system.rig.shop import Differs

OBJECTS = 800
VICTIMS = ("engine", "provider", "both")


def providers_killed(count, seed, folder):
    """Return what was tried and what came of it; `count` kills in applies and ends of 800 objects."""
    figures = Counter()
    number = 0
    while figures["kills amid 800 objects"] < count:
        number += 1
        aside = folder / f"large-{number}"
        aside.mkdir()
        figures += amid(Chance(f"providers {seed} {number}"), Workshop.made(aside, count=OBJECTS))
        print(dict(figures), flush=True)
    (folder / "forge").mkdir()
    with forged(folder / "forge") as forge:
        raising = Raising(forge, folder)
        for death in raising.engine_places():
            figures["engine killed at a place"] += raising.engine_round(death)
        for place in raising.provider_places():
            raising.provider_round(place)
            figures["provider killed at a place"] += 1
        control = twice_is_found(raising)
    found = {"forgotten": 0, "created twice": 0, "stale locks": 0}
    return {**figures, **found, "control: an object made a second time": control}


def amid(chance, shop):
    """Kill an apply until it comes through, then its end; each at a place by chance."""
    figures = Counter({"applies of 800 objects": 1})
    for command in ("up", "down"):
        for _ in range(4):
            before = len(shop.ledger())
            victim = chance.choice(VICTIMS)
            struck = strike(shop, command, before + 1 + chance.randint(0, OBJECTS // 4), victim)
            figures["kills amid 800 objects"] += struck
            figures[f"of them: {victim}"] += struck
        figures["commands until done"] += shop.until_done(command)
        if command == "up":
            shop.check("kills by chance")
            figures["objects made"] += OBJECTS
    shop.check_gone("kills by chance")
    return figures


def twice_is_found(raising):
    shop = raising.shop()
    shop.until_done()
    place = shop.folder / "world" / "made" / "f1"
    place.write_text(place.read_text() * 2)
    try:
        shop.check("a second creation")
    except Differs as wrong:
        return f"found out: {str(wrong)[:80]}"
    raise AssertionError("the control was not found out")
