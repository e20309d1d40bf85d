"""The places of a command by a provider, and a death at each."""

import shutil
from dataclasses import replace
from functools import cached_property

from providers.crashes.scenes import APPLY
from providers.crashes.workshop import HELD, Workshop
from system.rig.fuse import Death
from system.rig.shop import Differs


class Raising:
    """A scene in a folder of its own: its command, killed, and what must be so afterwards.

    What stands before is made once and copied for each death.
    """

    def __init__(self, forge, folder, scene=APPLY):
        self.forge, self.folder, self.scene = forge, folder, scene
        self.number = self.kills = 0

    @cached_property
    def prepared(self):
        """What stands before, and the words of the command."""
        shop = self.fresh()
        self.scene.before(shop)
        return shop, self.scene.words(shop)

    def shop(self):
        """Return a workshop of its own in which stands what stands before."""
        prepared, _ = self.prepared
        shop = replace(prepared, folder=self._place())
        shutil.copytree(prepared.folder, shop.folder)
        for each in (shop.folder / "world").glob("calls-*"):
            each.unlink()
        return shop

    def fresh(self, *, identity=True):
        """Return a workshop in which nothing was ever made."""
        folder = self._place()
        folder.mkdir()
        return Workshop.made(folder, self.forge, identity=identity)

    def _place(self):
        self.number += 1
        return self.folder / f"{self.scene.name}-{self.number}"

    def calm(self):
        """Live calmly once; return the shop, and how the engine lived."""
        shop = self.shop()
        lived = shop.calm(*self.prepared[1], "--yes")
        self.scene.check(shop, "nothing")
        return shop, lived

    def engine_places(self):
        """Return the names of every place of the engine, by its number as a death.

        For a death names will not do: folders for the sockets of providers have a new one each time.
        """
        _, lived = self.calm()
        return {Death(count=at): names for at, names in enumerate(lived.places, 1)}

    def provider_places(self):
        """Return every place of the provider: around each call."""
        shop, _ = self.calm()
        return [
            f"{name} {at} {when}"
            for name, count in sorted(shop.calls().items())
            for at in range(1, count + 1)
            for when in ("before", "after")
        ]

    def engine_round(self, death, plant=None, later=None):
        """Kill the engine at a place, give the command again, and look at everything.

        `plant` is a fault of the engine that is killed, `later` one of the engine that goes on.
        """
        shop, words = self.shop(), self.prepared[1]
        lived = shop.live(*words, "--yes", death=death, plant=plant)
        self.kills += lived.killed
        if later:
            shop.live(*words, "--yes", plant=later)
        shop.until_done(*words)
        self.ended(shop, death)
        return lived.killed

    def provider_round(self, place):
        """Kill the provider at a place; the engine lives, and may fail."""
        shop = self.shop()
        self.until_done_after(shop, place)
        self.ended(shop, place)

    def until_done_after(self, shop, maker):
        """Let the provider die at a place, then go on."""
        words = self.prepared[1]
        lived = shop.live(*words, "--yes", maker=maker)
        self.kills += 1
        if "Traceback" in lived.err:
            raise Differs(f"{maker}: {lived.err}")
        if lived.code == HELD:
            raise Differs(f"it is held: {lived.err}")
        shop.until_done(*words)

    def ended(self, shop, where):
        """Look at everything, and at the processes that are left: none."""
        self.scene.check(shop, where)
        left = self.forge.left()
        if left:
            raise Differs(f"processes after {where}: {left}")
