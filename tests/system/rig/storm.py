"""The two crash campaigns: bring the shop up, and place an order, with a death at every place."""

import os
import shutil

from system.rig.fuse import Death
from system.rig.orders import order_seen
from system.rig.shop import Differs, Shop, fetch, same

# Where the second engine dies: a place near its beginning, and ever farther in.
SECOND = (4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 24)
# The exit code of a command whose run waits for a person.
HELD = 6
EXHAUSTIVE = os.environ.get("DIRIGENT_CRASH_ROUNDS") == "all"


def pairs(deaths, stride):
    """Return pairs of deaths: each `stride`-th place with one place of the second life; or all with all."""
    if EXHAUSTIVE:
        return [(death, Death(count=count)) for death in deaths for count in SECOND]
    chosen = deaths[::stride]
    return [(death, Death(count=SECOND[number % len(SECOND)])) for number, death in enumerate(chosen)]


def kill(shop, deaths, tally, *command, plant=None):
    """Let engines live and die one after the other, then one to the end; count the kills that struck."""
    tally.rounds += 1
    for death in deaths:
        lived = shop.live(*command, death=death, plant=plant)
        if not lived.killed:
            if lived.code not in (0, HELD):
                raise Differs(f"{command} gave {lived.code} instead of dying: {lived.err}{lived.out}")
            return False
        tally.kills += 1
    return True


class Raising:
    """`up` of a fresh shop in a folder of its own, and what must be so afterwards."""

    def __init__(self, forge, folder, tally):
        self.forge, self.folder, self.tally = forge, folder, tally
        self.number = 0
        self.calm, self.places = None, ()

    def shop(self):
        """Return a shop that has never been up."""
        self.number += 1
        folder = self.folder / f"shop-{self.number}"
        folder.mkdir()
        return Shop.made(folder, self.forge)

    def end(self, shop):
        """Take away all of a shop."""
        self.forge.sweep()
        shutil.rmtree(shop.folder)

    def learn(self):
        """Run calmly once, and keep what it gives; return every place as a death."""
        shop = self.shop()
        lived = shop.calm("up", "--yes")
        self.calm = self.seen(shop)
        self.tally.places = len(lived.places)
        self.end(shop)
        return lived.deaths()

    def seen(self, shop):
        """Return what must be the same after every round, checking what must hold by itself."""
        shop.check_lock()
        shop.check_processes()
        shop.check_health()
        applies = [(run.kind, run.phase) for run in shop.runs()]
        same("runs", applies, [("apply", "completed")])
        changes = {change["action"] for change in shop.calm("plan", "--json").answer["changes"]}
        same("what another plan would do", changes, {"keep"})
        return {"rows": shop.rows(), "files": shop.files()}

    def round(self, *deaths, plant=None):
        """Crash one `up` once or more, go on calmly, and compare. Returns whether every death struck."""
        shop = self.shop()
        try:
            struck = kill(shop, deaths, self.tally, "up", "--yes", plant=plant)
            lived = shop.live("up", "--yes", plant=plant)
            if lived.code:
                raise Differs(f"up gave {lived.code} after {deaths}: {lived.err}{lived.out}")
            seen = self.seen(shop)
            same(f"rows after {deaths}", seen["rows"], self.calm["rows"])
            same(f"files after {deaths}", seen["files"], self.calm["files"])
        finally:
            self.end(shop)
        return struck


class Ordering:
    """One kind of order in a shop that is up, and what must be so after every crash of it."""

    def __init__(self, shop, kind, tally, faults=(), **members):
        self.shop, self.kind, self.tally = shop, kind, tally
        self.faults = faults
        self.members = {"sku": "cup", "quantity": 1, "country": "FR", **members}
        self.order = ""
        self.calm = None

    def prepare(self):
        """Return the command for a new order, with the faults in place that belong to it."""
        # The forge never counts a life twice, so that no order gets the id of another.
        self.order = f"{self.kind}-{self.shop.forge.lives}"
        self.shop.check_processes()
        payment = self.shop.urls()["payment"]
        fetch(f"{payment}/faults", method="DELETE")
        for fault in self.faults:
            fetch(f"{payment}/faults", fault)
        flags = [w for k, v in {"order": self.order, **self.members}.items() for w in ("-i", f"{k}={v}")]
        return ("run", "place-order", *flags, "--id", self.order, "--json")

    def learn(self):
        """Place one order calmly, and keep what it gives; return every place as a death."""
        lived = self.shop.calm(*self.prepare())
        self.calm = order_seen(self.shop, self.order)
        self.tally.places = len(lived.places)
        return lived.deaths()

    def round(self, *deaths, plant=None):
        """Crash one order once or more, place it again under its id, and compare."""
        command = self.prepare()
        struck = kill(self.shop, deaths, self.tally, *command, plant=plant)
        lived = self.shop.live(*command, plant=plant)
        if lived.code:
            raise Differs(f"the order gave {lived.code} after {deaths}: {lived.err}{lived.out}")
        self.compare(order_seen(self.shop, self.order), deaths)
        return struck

    def compare(self, seen, deaths):
        """Raise `Differs` unless the order ended as the calm one did."""
        charges = seen["ledger"].count("charge")
        wanted = self.calm["ledger"].count("charge")
        same(f"charges of {self.order} after {deaths}", charges, wanted)
        for what in ("phase", "output", "ledger"):
            same(f"{what} of {self.order} after {deaths}", seen[what], self.calm[what])
        self.compare_attempts(seen["attempts"], deaths)

    def compare_attempts(self, seen, deaths):
        """Raise `Differs` where a crash burnt an attempt.

        A fault that was ordered of the service strikes a request, not an attempt: when the engine died
        before it recorded the answer, the same attempt goes on without that fault.
        """
        spared = 0
        for position, attempts in self.calm["attempts"].items():
            spared += attempts - seen.get(position, 0)
        most = len(deaths) if self.faults else 0
        if seen.keys() != self.calm["attempts"].keys() or not 0 <= spared <= most:
            raise Differs(
                f"attempts of {self.order} after {deaths}: {seen!r} is not {self.calm['attempts']!r}"
            )
