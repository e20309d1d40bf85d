"""A schedule that events start: the strategy that is written, and what its listener hears of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dirigent.lang.tree import placed
from dirigent.lang.workflow.reading import Reading, Uses
from dirigent.lang.workflow.tasks.events import lower_on
from dirigent.model.events.listening import EventFilter, Quorum, Strategy
from dirigent.model.run.schedule import Schedule
from dirigent.model.source import Span
from dirigent.ports import Language

NOWHERE: Final = Span("", 1, 1, 1, 1)
NOTHING: Final = Uses({}, {}, {}, {}, {}, ())


def strategy_of(schedule: Schedule, language: Language) -> Strategy:
    """Return which events a schedule waits for. It has been checked where it is written."""
    reading = Reading("", [], language, NOTHING, {}, loose=schedule.loose)
    return lower_on(reading, placed(schedule.on, NOWHERE))


def heard_for(strategy: Strategy) -> Strategy:
    """Return what a listener hears for a strategy: one event that fits any filter.

    What events have in common is judged where they are gathered; what they must equal, here too.
    """
    if strategy.alone:
        return strategy
    until = strategy.until
    parts = [strategy.filters, until.filters] if isinstance(until, Strategy) else [strategy.filters]
    if not all(parts):
        return Strategy(Quorum.ANY)
    return Strategy(Quorum.ANY, tuple(_alone(each) for part in parts for each in part))


def _alone(each: EventFilter) -> EventFilter:
    links = {name: link for name, link in each.correlate.items() if link.expected}
    return replace(each, correlate=links)
