"""Stacks with checks, and their plans, in the language of the product."""

from __future__ import annotations

from dataclasses import replace

from core.simulation import SlowLanguage, answer
from dirigent.model.resource import Check
from dirigent.model.source import Span
from dirigent.model.values import Expression
from dirigent.planning.plan import Situation, plan
from dirigent.planning.request import Ask, Propose
from planning.world import propose, resource

AT = Span("stack.yaml", 3, 5, 3, 9)


def before(text, message="no", *, warns=False):
    return Check(Expression(text, AT), message, before=True, warns=warns)


def after(text, message="no", *, warns=False):
    return Check(Expression(text, AT), message, warns=warns)


def checked(name, *checks, **config):
    return replace(resource(name, **config), checks=checks)


def named(name, text, message="no"):
    return Check(Expression(text, AT), message, warns=True, name=name)


def planned(declared, rows=(), inputs=None, readings=None, selection=None, propose=propose):
    more = {"selection": selection} if selection else {}
    asking = plan(
        Situation(declared, SlowLanguage(), inputs or {}, tuple(rows), readings=readings or {}, **more)
    )
    said = None
    while True:
        try:
            request = asking.send(said)
        except StopIteration as end:
            return end.value
        match request:
            case Ask(questions):
                said = tuple(map(answer, questions))
            case Propose(wishes):
                said = tuple(map(propose, wishes))
