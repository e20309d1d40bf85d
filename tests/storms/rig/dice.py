"""Draws that are a function of the seed alone: the same on every machine, under every hash seed."""

from hashlib import blake2b

MASK = (1 << 64) - 1


class Dice:
    """A stream of draws (splitmix64); whoever has the seed has the storm."""

    def __init__(self, *seed):
        self.state = int.from_bytes(blake2b(repr(seed).encode(), digest_size=8).digest(), "big")

    def bits(self):
        """Return the next 64 bits."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 & MASK
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & MASK
        return mixed ^ (mixed >> 31)

    def below(self, bound):
        """Return a number from 0 up to, but not including, `bound`."""
        return self.bits() % bound

    def between(self, least, most):
        """Return a number of these bounds, both included."""
        return least + self.below(most - least + 1)

    def one_of(self, things):
        """Return one of a sequence."""
        return things[self.below(len(things))]
