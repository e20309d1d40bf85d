r"""Regular expressions that cannot run away: a text is matched in one pass, whatever the expression.

The dialect is that of I-Regexp (RFC 9485) with `\d`, `\w`, `\s`; the whole text must match. There are no
references back and no look-around, so a set of states is all that is ever kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from functools import lru_cache
from typing import Final, TypeAlias

from dirigent.model.record import dataclass

CHARACTERS: Final = 1_000
STATES: Final = 2_000
DEPTH: Final = 32
LAST: Final = 0x10FFFF
# A text with one of these is a regular expression; a dot alone is none, for types of events are full of dots.
MARKS: Final = frozenset("^$*+?()[]{}|\\")

Ranges: TypeAlias = tuple[tuple[int, int], ...]

_DIGITS: Final[Ranges] = ((48, 57),)
_WORD: Final[Ranges] = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Final[Ranges] = ((9, 13), (32, 32), (160, 160))
_CLASSES: Final[dict[str, Ranges]] = {"d": _DIGITS, "w": _WORD, "s": _SPACE}
_CONTROLS: Final = {"n": 10, "r": 13, "t": 9}
# A dot takes every character that does not end a line.
_NO_LINE_END: Final[Ranges] = ((10, 10), (13, 13))


class PatternError(ValueError):
    """The text is no regular expression of this dialect; the message says why."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A state: it takes a character of `ranges` and goes to `to`; without ranges it goes on freely."""

    ranges: Ranges | None
    to: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression that is ready: the states, and the last of them, where it has matched."""

    steps: tuple[_Step, ...]
    first: int
    last: int

    def matches(self, text: str) -> bool:
        """Return whether the whole text fits."""
        states = self._free({self.first})
        for character in text:
            code = ord(character)
            states = self._free(
                step.to[0]
                for step in (self.steps[state] for state in states)
                if step.ranges is not None and any(low <= code <= high for low, high in step.ranges)
            )
            if not states:
                return False
        return self.last in states

    def _free(self, states: Iterable[int]) -> set[int]:
        """Return these states, and those that are reached without a character."""
        found = set(states)
        todo = list(found)
        while todo:
            step = self.steps[todo.pop()]
            if step.ranges is None:
                fresh = [state for state in step.to if state not in found]
                found.update(fresh)
                todo += fresh
        return found


def is_pattern(text: str) -> bool:
    """Return whether a text is meant as a regular expression."""
    return not MARKS.isdisjoint(text)


@lru_cache(maxsize=1_024)
def compiled(text: str) -> Pattern:
    """Return the regular expression of a text, or raise `PatternError`."""
    if len(text) > CHARACTERS:
        raise PatternError(f"it has more than {CHARACTERS} characters")
    reading = _Reading(text.removeprefix("^"))
    if reading.text.endswith("$") and not reading.text.endswith("\\$"):
        reading.text = reading.text[:-1]
    first, last = reading.choice()
    if reading.at < len(reading.text):
        raise PatternError(f"`{reading.text[reading.at]}` closes nothing")
    return Pattern(tuple(_Step(ranges, tuple(to)) for ranges, to in reading.states), first, last)


Part: TypeAlias = tuple[int, int]
"""Where a part of an expression begins, and the free state where it ends."""


@dataclass(slots=True)
class _Reading:
    text: str
    at: int = 0
    depth: int = 0
    states: list[tuple[Ranges | None, list[int]]] = field(default_factory=list)

    def choice(self) -> Part:
        """Read alternatives up to a closing bracket or the end."""
        parts = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            parts.append(self._sequence())
        if len(parts) == 1:
            return parts[0]
        first, last = self._state(None), self._state(None)
        for begin, end in parts:
            self.states[first][1].append(begin)
            self.states[end][1].append(last)
        return first, last

    def _sequence(self) -> Part:
        first = last = self._state(None)
        while self._peek() not in {"", "|", ")"}:
            before = self.at
            part = self._atom()
            begin, end = self._repeated(part, before)
            self.states[last][1].append(begin)
            last = end
        return first, last

    def _atom(self) -> Part:
        character = self._next()
        match character:
            case "(":
                return self._group()
            case "[":
                return self._one(self._class())
            case ".":
                return self._one(_negated(_NO_LINE_END))
            case "\\":
                return self._one(self._escape())
            case "*" | "+" | "?" | "{":
                raise PatternError(f"`{character}` repeats nothing")
            case "^" | "$" | "]" | "}":
                raise PatternError(f"`{character}` stands alone: write `\\{character}` for the character")
            case _:
                return self._one(((ord(character), ord(character)),))

    def _group(self) -> Part:
        if self._peek() == "?":
            if self.text[self.at : self.at + 2] != "?:":
                raise PatternError("only `(?:...)` may begin with `(?`")
            self.at += 2
        self.depth += 1
        if self.depth > DEPTH:
            raise PatternError(f"it is nested deeper than {DEPTH} brackets")
        part = self.choice()
        if self._next() != ")":
            raise PatternError("a `(` is not closed")
        self.depth -= 1
        return part

    def _repeated(self, part: Part, before: int) -> Part:
        """Read how often a part stands; what follows a first repetition is refused as a second one."""
        least, most = self._amount()
        if (least, most) == (1, 1):
            return part
        after = self.at
        begin = last = self._state(None)
        for number in range(least if most is None else most):
            self.at = before
            again = part if number == 0 else self._atom()
            self.states[last][1].append(again[0])
            if number >= least:
                # What may be left out is passed by.
                self.states[last][1].append(end := self._state(None))
                self.states[again[1]][1].append(end)
                last = end
            else:
                last = again[1]
        if most is None:
            last = self._endless(part if least == 0 else None, before, last)
        self.at = after
        return begin, last

    def _endless(self, part: Part | None, before: int, last: int) -> int:
        self.at = before
        begin, end = part or self._atom()
        loop = self._state(None)
        self.states[last][1].append(loop)
        self.states[loop][1].append(begin)
        self.states[end][1].append(loop)
        after = self._state(None)
        self.states[loop][1].append(after)
        return after

    def _amount(self) -> tuple[int, int | None]:
        """Read a quantifier: how often at least, and at most (None: any number)."""
        known: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        mark = self._peek()
        if mark not in known and mark != "{":
            return 1, 1
        self.at += 1
        least, most = self._bounds() if mark == "{" else known[mark]
        if self._peek() == "?":
            self.at += 1  # Which of several matches is taken makes no difference here.
        if self._peek() in {"*", "+", "?", "{"}:
            raise PatternError(f"`{self._peek()}` repeats a repetition: put that into brackets")
        return least, most

    def _bounds(self) -> tuple[int, int | None]:
        inside, brace, _ = self.text[self.at :].partition("}")
        low, comma, high = inside.partition(",")
        if not brace or not _number(low) or (high and not _number(high)):
            raise PatternError("`{` begins no number of repetitions: write `\\{` for the character")
        self.at += len(inside) + 1
        least = int(low)
        most = (int(high) if high else None) if comma else least
        if most is not None and most < least:
            raise PatternError(f"`{{{inside}}}` counts backwards")
        return least, most

    def _class(self) -> Ranges:
        negated = self._peek() == "^"
        self.at += negated
        found: list[tuple[int, int]] = []
        first = True
        while first or self._peek() != "]":
            first = False
            low = self._member()
            if self._peek() == "-" and self.text[self.at + 1 : self.at + 2] not in {"]", ""}:
                self.at += 1
                high = self._member()
                if len(low) != 1 or len(high) != 1 or low[0][0] > high[0][1]:
                    raise PatternError("a range in `[...]` runs backwards, or from a class")
                found.append((low[0][0], high[0][1]))
            else:
                found.extend(low)
        self.at += 1
        return _negated(tuple(found)) if negated else tuple(found)

    def _member(self) -> Ranges:
        character = self._next()
        if character == "":
            raise PatternError("a `[` is not closed")
        return self._escape() if character == "\\" else ((ord(character), ord(character)),)

    def _escape(self) -> Ranges:
        character = self._next()
        if character.lower() in _CLASSES:
            ranges = _CLASSES[character.lower()]
            return ranges if character.islower() else _negated(ranges)
        if character in _CONTROLS:
            return ((_CONTROLS[character], _CONTROLS[character]),)
        if character == "" or character.isalnum():
            raise PatternError(f"`\\{character}` means nothing here")
        return ((ord(character), ord(character)),)

    def _one(self, ranges: Ranges) -> Part:
        end = self._state(None)
        return self._state(ranges, end), end

    def _state(self, ranges: Ranges | None, *to: int) -> int:
        if len(self.states) >= STATES:
            raise PatternError(f"it is larger than {STATES} states")
        self.states.append((ranges, list(to)))
        return len(self.states) - 1

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _next(self) -> str:
        character = self._peek()
        self.at += 1
        return character


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(STATES))


def _negated(ranges: Ranges) -> Ranges:
    found, low = [], 0
    for begin, end in sorted(ranges):
        if low < begin:
            found.append((low, begin - 1))
        low = max(low, end + 1)
    if low <= LAST:
        found.append((low, LAST))
    return tuple(found)
