"""Change the world by plans: find what was left unfinished, propose, apply what was shown, and answer.

Rule: a plan is applied as it was shown or not at all, and meets no other that is under way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from typing import Final

from dirigent.model.ids import PlanId, RunId, split_path
from dirigent.model.plan import Action, Change, Plan
from dirigent.model.problem import Refusal, refuse
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Ended
from dirigent.model.run.start import Start
from dirigent.model.run.summary import RunSummary
from dirigent.model.stack import Stack
from dirigent.model.values import Expression, SecretRef, SecretText, Template, Value, has_unknown
from dirigent.planning.compile import compile_plan
from dirigent.planning.destroy import drift
from dirigent.planning.safety.checks import unchecked
from dirigent.planning.safety.touching import world_of
from dirigent.ports import Conductor, Language, Shelf, Vault
from dirigent.ports.applies import AFTER
from dirigent.service import runs
from dirigent.service.plans import USUALLY, How, Planner
from dirigent.service.runs import Driven
from dirigent.service.safety.leases import applies_of, check_free

# So often another apply may begin in the midst of looking whether this one meets any.
ATTEMPTS: Final = 20


@dataclass(frozen=True, slots=True)
class Aim:
    """What a change is for: a stored plan by its id, or the stack as declared, or its end.

    `stack` may be missing where `stored` or `destroy` is given; `name` is that of the stack.
    """

    name: str
    stack: Stack | None = None
    inputs: Mapping[str, Value] = field(default_factory=dict)
    stored: str = ""
    destroy: bool = False
    how: How = USUALLY


async def proposed(planner: Planner, aim: Aim) -> Plan:
    """Return the plan for an aim; a stored one as it was made.

    Raises:
        Refusal: E2041 and E2043 for a stored plan that is not there, or that does the opposite; what
            planning refuses (E2xxx, E3xxx).
    """
    if aim.stored:
        made = await stored(planner.shelf, aim.stored)
        if made.destroy != aim.destroy:
            verb, does = ("down", "takes down") if made.destroy else ("up", "brings up")
            raise refuse(
                "E2043",
                f"plan `{made.id}` {does} what the stack declares",
                f"apply it with `dirigent {verb} {made.id}`; nothing was touched",
            )
        return made
    if aim.how.errand is not None:
        return await planner.plan_errand(aim.name, aim.stack, aim.inputs, aim.how.errand)
    if aim.destroy:
        return await planner.plan_destroy(aim.name, aim.stack, aim.inputs, aim.how)
    if aim.stack is None:
        raise AssertionError("only a stored plan and an end can do without a stack")
    return await planner.plan(aim.stack, aim.inputs, aim.how)


async def drifted(planner: Planner, aim: Aim) -> tuple[Change, ...]:
    """Return what differs from what was applied, whether or not that passes its checks."""
    stack = unchecked(aim.stack) if aim.stack is not None else None
    return drift(await proposed(planner, replace(aim, stack=stack)))


async def stored(shelf: Shelf, wanted: str) -> Plan:
    """Return a plan that was stored, or raise `Refusal` (`E2041`)."""
    found = await shelf.plan(PlanId(wanted))
    if found is None:
        raise refuse("E2041", f"there is no plan `{wanted}`", "make one with `dirigent plan`")
    return found


async def check_fresh(shelf: Shelf, chosen: Plan) -> None:
    """Raise `Refusal` (`E2040`) when the resources are no longer those that a plan was made for."""
    if world_of(chosen.changes, await shelf.rows(), chosen.bridges) != chosen.fingerprint:
        raise refuse(
            "E2040",
            f"the world changed since plan `{chosen.id}` was made",
            "make a new plan with `dirigent plan`, and look at it again; nothing was touched",
        )


def check_secrets(vault: Vault, language: Language, chosen: Plan) -> None:
    """Raise `Refusal` (E6001) unless every secret that a plan will need has a value now.

    Half a stack, and then the news that a variable is not set, help nobody.
    """
    known = {name: SecretText((SecretRef(name),)) for name in chosen.secrets}
    parts: list[tuple[Template, Mapping[str, Value]]] = []
    for change in chosen.pending:
        module = chosen.modules.get(split_path(change.address)[0], {}).get("secrets", known)
        parts += [(change.config, module if isinstance(module, dict) else {})]
    for bridge in chosen.bridges:
        module = chosen.modules.get(bridge.scope, {}).get("secrets", known)
        parts += [(bridge.template, module if isinstance(module, dict) else {})]
    names = {name for template, there in parts for name in _secrets_of(template, there, language)}
    runs.check_secrets(vault, sorted(name for name in names if name in known or "/" in name))


def _secrets_of(template: Template, there: Mapping[str, Value], language: Language) -> Iterator[str]:
    """Yield the secrets that a template names: in expressions that are left for later, and as they stand.

    `there` is what `$secrets` holds where the expressions stand.
    """
    pending: list[Template] = [template]
    while pending:
        match pending.pop():
            case list() as items:
                pending.extend(items)
            case dict() as members:
                pending.extend(members.values())
            case Expression(text=text):
                references = language.compile(text).references
                named = (there.get(member) for name, member in references if name == "secrets" and member)
                yield from (name for value in named for name in _names_in(value))
            case SecretText() as text:
                yield from _names_in(text)
            case _:
                pass


def _names_in(value: Value) -> Iterator[str]:
    if isinstance(value, SecretText):
        yield from (part.name.partition(".")[0] for part in value.parts if isinstance(part, SecretRef))


async def keep(conductor: Conductor, shelf: Shelf, made: Plan) -> None:
    """Store a plan. Its id is the digest of what it would do, so the same id needs no second copy."""
    if not await applies_of(shelf).has_plan(made.id):
        await conductor.keep_plan(made)


async def apply(desk: Driven, chosen: Plan, by: str = "") -> RunId:
    """Start the run that carries out a plan: its program is the plan's, and nothing else.

    Raises:
        Refusal: E2040 when the world moved on, E2042 while another apply touches what it touches, E2048
            when others began again and again in the midst of looking.
    """
    applies = applies_of(desk.shelf)
    program = compile_plan(chosen)
    for _ in range(ATTEMPTS - 1):
        try:
            return await _start(desk, chosen, program, {"by": by, AFTER: await applies.newest_apply()})
        except Refusal as refusal:
            if refusal.problems[0].code != "E2048":
                raise
    return await _start(desk, chosen, program, {"by": by, AFTER: await applies.newest_apply()})


async def _start(desk: Driven, chosen: Plan, program: Program, words: Mapping[str, Value]) -> RunId:
    """Start an apply that was checked after the newest one there was. Each attempt has a name of its own.

    Who is under way comes first, then what stands: an apply that ended in between has changed it.
    """
    await check_free(desk, chosen)
    await check_fresh(desk.shelf, chosen)
    await keep(desk.conductor, desk.shelf, chosen)
    run = runs.name_run(verb_of(chosen))
    return await desk.conductor.start(Start(run, program, metadata={"plan": chosen.id, **words}))


def verb_of(made: Plan) -> str:
    """Return what the run of a plan is called by: `down`, `import` or `up`."""
    if made.destroy or made.rollback:
        return "down" if made.destroy else "rollback"
    adopts = made.pending and all(change.action is Action.ADOPT for change in made.pending)
    return "import" if adopts else "up"


async def outputs(planner: Planner, stack: Stack | None, made: Plan, end: Ended | None) -> dict[str, Value]:
    """Return the outputs of a stack as it stands after a plan; none when it failed or took it down.

    `end` is None for a plan that had nothing to do. The inputs are those of the plan.
    """
    if (
        stack is None
        or not stack.outputs
        or made.destroy
        or made.rollback
        or (end is not None and end.phase != "completed")
    ):
        return {}
    values = await planner.evaluate(stack, made.inputs, stack.outputs)
    # What a plan has left out may not be there yet, and what hangs on it has no value.
    return {name: value for name, value in values.items() if not has_unknown(value)}


async def unfinished(shelf: Shelf) -> list[RunSummary]:
    """Return the applies that a crash left open and that can go on by themselves, oldest first."""
    return [run for run in await applies_of(shelf).open_applies() if run.phase == "running"]


async def named(shelf: Shelf, aim: Aim) -> Aim:
    """Return an aim with the name of its stack: that of the last apply here where no file tells it.

    Raises:
        Refusal: E7001 when nobody knows.
    """
    if aim.name or aim.stored:
        return aim
    for run in await shelf.runs(limit=1000):
        if run.kind == "apply":
            return replace(aim, name=run.name)
    raise refuse(
        "E7001",
        "there is no stack file that can be read, and nothing was ever applied here",
        "name the file with `-s FILE`, or start in the folder of a `stack.yaml`",
    )
