"""The places of an apply by a provider, and a death at each."""

from providers.crashes.workshop import HELD, Workshop
from system.rig.fuse import Death
from system.rig.shop import Differs


class Raising:
    """`up` of a fresh workshop in a folder of its own, and what must be so afterwards."""

    def __init__(self, forge, folder):
        self.forge, self.folder = forge, folder
        self.number = self.kills = 0

    def shop(self, *, identity=True):
        """Return a workshop in which nothing was ever made."""
        self.number += 1
        folder = self.folder / f"shop-{self.number}"
        folder.mkdir()
        return Workshop.made(folder, self.forge, identity=identity)

    def engine_places(self):
        """Run calmly once; return every place of the engine as a death, by its number.

        Names will not do: folders for the sockets of providers have a new one each time.
        """
        shop = self.shop()
        lived = shop.calm("up", "--yes")
        shop.check("nothing")
        return [Death(count=at) for at in range(1, len(lived.places) + 1)]

    def provider_places(self):
        """Run calmly once; return every place of the provider: around each call."""
        shop = self.shop()
        shop.calm("up", "--yes")
        return [
            f"{name} {at} {when}"
            for name, count in sorted(shop.calls().items())
            for at in range(1, count + 1)
            for when in ("before", "after")
        ]

    def engine_round(self, death):
        """Kill the engine at a place, bring the stack up, and look at everything; then end it all."""
        shop = self.shop()
        lived = shop.live("up", "--yes", death=death)
        self.kills += lived.killed
        shop.until_done()
        self.ended(shop, death)
        return lived.killed

    def provider_round(self, place):
        """Kill the provider at a place; the engine lives, and may fail."""
        shop = self.shop()
        self.until_done_after(shop, place)
        self.ended(shop, place)

    def until_done_after(self, shop, maker):
        """Let the provider die at a place, then go on."""
        lived = shop.live("up", "--yes", maker=maker)
        self.kills += 1
        if "Traceback" in lived.err:
            raise Differs(f"{maker}: {lived.err}")
        if lived.code == HELD:
            raise Differs(f"it is held: {lived.err}")
        shop.until_done()

    def ended(self, shop, where):
        """Look at everything, and at the processes that are left: none."""
        shop.check(where)
        left = self.forge.left()
        if left:
            raise Differs(f"processes after {where}: {left}")
