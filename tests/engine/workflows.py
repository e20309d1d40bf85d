"""What the engine is tried with: the scenarios of the core, and a plan as an apply runs it."""

from __future__ import annotations

from pathlib import Path

from core.scenario import read
from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.ids import Address
from dirigent.model.program import Call, Catch, Graph, Program, Retry, Sequence, Task, Try
from dirigent.model.resource import ResourceRow
from dirigent.model.run.effect import Broken, Done
from dirigent.model.run.journal import ResourceChanged
from dirigent.model.values import Expression
from dirigent.testing import Rule
from engine.harness import Case, Outside, case_of

SCENARIOS = {path.stem: path for path in (Path(__file__).parents[1] / "core" / "scenarios").glob("*.yaml")}
# The first never ends; of the second only the simulation can say what a person gets when it is repeated.
OPEN = {"held-unanswered", "held-repeat"}


def scenario(name, monkeypatch=None):
    """The case of a scenario file; its limits are set if there is something to set them with."""
    given, program = read(SCENARIOS[name].read_text().partition("\n----\n")[0])
    if monkeypatch is not None:
        for limit, number in given.get("limits", {}).items():
            monkeypatch.setattr(f"dirigent.model.limits.{limit}", number)
    return case_of(given, program)


def document(text):
    """The program of a document without its head."""
    return read("---\n" + text)[1]


def an_apply():
    """A plan with edges: a resource that needs two others, one that is retried, one that nobody needs."""
    names = {"db": (), "queue": (), "api": ("db", "queue"), "web": ("api",), "log": ()}
    tasks = tuple(_task(name) for name in names)
    graph = Graph(tasks, names, "resources", {"kept": {"port": 1}}, width=2)
    program = Program("shop", "stacks", "1.0.0", Task("apply", "", graph), kind="apply")
    return Case(program, (Rule(function="resource", answers=(_applied,)),))


def _task(name):
    request = {"address": name, "port": Expression("$resources.db.port // 0"), "action": "create"}
    work = Task("do", f"/graph/{name}/try/0/do", Call("resource", request))
    retry = Retry(delay=2, attempts_max=2)
    return Task(name, f"/graph/{name}", Try(Sequence((work,)), Catch(retry=retry)))


def _applied(order):
    name = order.request["address"]
    if name == "api" and order.attempt < 3:
        return Broken(Fault(COMMUNICATION, 503, "Not Yet"))
    attributes = {"port": 5000 + len(name), "seen": order.request["port"]}
    row = ResourceRow(Address(name), name, "service", {"port": order.request["port"]}, attributes)
    return Done(attributes, (ResourceChanged(0.0, name, row),))


def outside_of(text, *rules):
    """The outside of a document in a world of these rules."""
    return Outside(Case(document(text), rules))
