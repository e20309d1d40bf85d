"""Numbers that look drawn and follow from a seed, the same on every machine and under every hash seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

_T = TypeVar("_T")
_MASK: Final = 2**64 - 1
# The constants of SplitMix64 (Steele, Lea, Flood 2014): three multiplications a number, no state but a sum.
_STEP: Final = 0x9E3779B97F4A7C15
_FIRST: Final = 0xBF58476D1CE4E5B9
_SECOND: Final = 0x94D049BB133111EB


class Dice:
    """A stream of numbers. Two dice of one seed and one label roll the same."""

    __slots__ = ("_sum",)

    def __init__(self, seed: int, label: str = "") -> None:
        """Begin; `label` sets streams of one seed apart, so that one may grow and leave the others alone."""
        self._sum = seed & _MASK
        for character in label:
            self._sum = (self._sum * 31 + ord(character)) & _MASK
            self.bits()

    def bits(self) -> int:
        """Return 64 random bits."""
        self._sum = mixed = (self._sum + _STEP) & _MASK
        mixed = ((mixed ^ (mixed >> 30)) * _FIRST) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * _SECOND) & _MASK
        return mixed ^ (mixed >> 31)

    def below(self, end: int) -> int:
        """Return a whole number from 0 to `end` - 1."""
        return self.bits() % end

    def between(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + self.bits() % (high - low + 1)

    def chance(self, percent: int) -> bool:
        """Return True in so many of a hundred cases."""
        return self.bits() % 100 < percent

    def fraction(self) -> float:
        """Return a number from 0 to 1, without 1."""
        return (self.bits() >> 11) / 2**53

    def one_of(self, choices: Sequence[_T]) -> _T:
        """Return one of them."""
        return choices[self.bits() % len(choices)]
