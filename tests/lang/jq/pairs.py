"""The two places where an expression is evaluated are asked the same: the closures, and the worker."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, note, seed, settings

from dirigent.jq import LANGUAGE
from dirigent.model.fault import Fault
from dirigent.model.run.command import Question
from dirigent.model.values import Expression
from dirigent.ports import ExpressionFailed
from dirigent.tasks.oracle import JqOracle
from lang.jq.jq_programs import alike, dots, programs, variables

# What the worker says when its value would not be exact; the closures may hold it.
INEXACT = "too large to be exact"
BATCH = 1_000


class Pairs:
    """Compares one program on one value in both places. `compile_` is what makes the closures."""

    def __init__(self, compile_=LANGUAGE.compile):
        self.compile = compile_
        self.loop = asyncio.new_event_loop()
        self.oracle = JqOracle()
        self.counts = Counter()

    def close(self):
        self.loop.run_until_complete(self.oracle.close())
        self.loop.close()

    def compare(self, text, dot, bound):
        note(f"{text}   on {dot!r} with {bound!r}")
        here = self.here(text, dot, bound)
        question = Question(Expression(text), dot, bound)
        (there,) = self.loop.run_until_complete(self.oracle.answer((question,)))
        self.counts["pairs"] += 1
        if isinstance(there, Fault):
            kind = "inexact" if INEXACT in there.detail else "errors"
            self.counts[kind] += 1
            assert kind == "inexact" or isinstance(here, ExpressionFailed), (
                f"here {here!r}, there {there.detail}"
            )
        else:
            self.counts["values"] += 1
            assert not isinstance(here, ExpressionFailed), f"here `{here}`, there {there!r}"
            assert alike(here) == alike(there)

    def here(self, text, dot, bound):
        compiled = self.compile(text)
        assert compiled.local, f"{text} should be evaluated here"
        try:
            return compiled.evaluate(dot, bound)
        except ExpressionFailed as failure:
            return failure


@dataclass
class Wrong:
    """A compiled expression with a planted fault: every integer is one too large."""

    compiled: object
    local: bool = True

    def evaluate(self, dot, bound):
        value = self.compiled.evaluate(dot, bound)
        return value + 1 if type(value) is int else value


def compared(count, number, compile_=LANGUAGE.compile):
    """Compare so many generated pairs from a seed, and return what was seen. Raises `AssertionError`."""
    pairs = Pairs(compile_)
    quiet = settings(
        max_examples=BATCH,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    try:
        batch = 0
        while pairs.counts["pairs"] < count:
            batch += 1
            drawn = settings(quiet, max_examples=min(BATCH, count - pairs.counts["pairs"]))
            drawn(seed(number * 1_000 + batch)(given(programs, dots, variables)(pairs.compare)))()
        return dict(pairs.counts)
    finally:
        pairs.close()
