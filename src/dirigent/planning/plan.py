"""The plan: every instance judged in the order of needs, what is no longer declared, and their order.

A generator without I/O: it yields `Ask` and `Propose` and is sent the answers, resource by resource
in waves, because what one resource becomes decides what the next one's expressions see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from dirigent.model.ids import PlanId, split_path
from dirigent.model.plan import EVERYTHING, Action, Change, Checked, Plan, Selection, identity
from dirigent.model.problem import Problem, Refusal
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow, assemble
from dirigent.model.source import Span
from dirigent.model.stack import Stack
from dirigent.model.values import SecretRef, SecretText, Template, Value, has_unknown
from dirigent.planning.claims import refuse_shared
from dirigent.planning.decide import Case, case_of, concealed, create_first, decide, of_its_successor
from dirigent.planning.expand import Instance, expand, is_counted, repeats
from dirigent.planning.graph import templates_of_checks
from dirigent.planning.modules.layout import Layout, Node, layout_of
from dirigent.planning.modules.now import Now, premises_now
from dirigent.planning.modules.places import Place
from dirigent.planning.modules.premises import Premises, Standing
from dirigent.planning.modules.renamed import moves_of
from dirigent.planning.proposing import propose
from dirigent.planning.remove import refuse_protected, refuse_released, removals, with_setups
from dirigent.planning.request import Asking, Looks
from dirigent.planning.rows.adopting import Candidate, Wanted, adopt, refuse_astray, wanted_of
from dirigent.planning.rows.looking import refuse_mixed, worth_it
from dirigent.planning.rows.moving import Relocated, refuse_moves, relocated
from dirigent.planning.rows.outside import Outside, names_it
from dirigent.planning.rows.selection import Part, part_of
from dirigent.planning.safety.checking import asked_after, asked_before, asked_of_stack
from dirigent.planning.safety.dangers import foreign
from dirigent.planning.safety.governing import policy_of, under
from dirigent.planning.safety.succession import PATH, Succession
from dirigent.planning.safety.touching import world_of
from dirigent.planning.steps import in_run, steps_of
from dirigent.planning.values.evaluate import Job, Rendered, render, render_all
from dirigent.planning.values.fleeting import refuse_kept, refuse_shown
from dirigent.planning.values.setups import Setups, absent, members_of, setups_of
from dirigent.ports import Language, Schemas
from dirigent.ports.resources import Proposal, Reading


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a plan is made from.

    `rows` is the state as stored, `readings` what the providers saw, by address (an address that is
    missing was not looked at). `at` is the time of planning, `read_seconds` how long reading took.
    `setups` is how the providers are configured as the rows stand; `selection` is what the plan is for;
    `schemas` checks what modules are given; `crossed` are the rows that move to another type, as they will be
    there, by the address that they have.
    """

    stack: Stack
    language: Language
    inputs: Mapping[str, Value] = field(default_factory=dict)
    rows: Sequence[ResourceRow] = ()
    readings: Mapping[str, Reading] = field(default_factory=dict)
    at: float = 0.0
    read_seconds: float = 0.0
    setups: Setups = field(default_factory=dict)
    selection: Selection = EVERYTHING
    schemas: Schemas | None = None
    crossed: Mapping[str, ResourceRow] = field(default_factory=dict)


def plan(situation: Situation) -> Asking[Plan]:
    """Return the plan that turns what is into what is declared.

    Raises:
        Refusal: with all problems of the stage that failed: references (E2001-E2004, E2030), repetition
            (E2005-E2009), inputs of modules (E2031), ephemeral values that would be stored (E2027, E2028),
            a provider's refusal (E3xxx), what two instances want (E2011, E2012), protected resources (E2008),
            checks that do not hold (E2024 to E2026).
    """
    layout = layout_of(situation.stack, situation.language)
    waves = layout.waves()
    moves = moves_of(situation.stack, [row.address for row in situation.rows])
    moved = relocated(situation.rows, moves, situation.crossed)
    part = part_of(situation.selection, layout.edges, moved.rows)
    draft = _Draft(situation, layout, part, moved)
    yield from draft.look_for_imports()
    for wave in waves:
        chosen = yield from draft.advance(wave)
        instances = yield from draft.expand(chosen)
        cases = yield from draft.cases(instances)
        cases = yield from asked_before(cases, draft.place, situation.language)
        judged = yield from draft.judge(cases)
        judged = yield from asked_after(judged, draft.place, situation.language)
        draft.accept(chosen, judged)
    draft.refuse_unmatched()
    scope = draft.premises.root.scope
    outputs = yield from render(
        [(template, {}) for template in situation.stack.outputs.values()], scope, situation.language
    )
    shown = dict(zip(situation.stack.outputs, outputs, strict=True))
    refuse_shown(situation.stack.outputs, shown)
    checks = yield from asked_of_stack(draft.premises, layout, draft.outside, situation.language)
    return draft.finish(shown, checks)


def evaluate_outputs(
    stack: Stack, inputs: Mapping[str, Value], rows: Sequence[ResourceRow], language: Language
) -> Asking[dict[str, Value]]:
    """Return the outputs of a stack as its rows stand, for `up` to show when it has ended."""
    given = constants(stack.name, inputs, tuple(stack.secrets))
    wanted = list(stack.outputs.values())
    premises = yield from premises_now(Now(stack, given, rows, language, wanted))
    rendered = yield from render([(template, {}) for template in wanted], premises.root.scope, language)
    return {name: output.value for name, output in zip(stack.outputs, rendered, strict=True)}


def setups_standing(
    stack: Stack, inputs: Mapping[str, Value], rows: Sequence[ResourceRow], language: Language
) -> Asking[Setups]:
    """Return how the providers of a stack are configured as its rows stand. Raises `Refusal` (E2004).

    A resource that has no row is unknown.
    """
    if not stack.providers:
        return {}
    given = constants(stack.name, inputs, tuple(stack.secrets))
    wanted: list[Template] = [setup.config for setup in stack.providers.values()]
    premises = yield from premises_now(Now(stack, given, rows, language, wanted))
    rendered = yield from setups_of(stack, tuple(stack.providers), premises.root.scope, language)
    return {name: members_of(each.value) for name, each in rendered.items()}


def constants(stack: str, inputs: Mapping[str, Value], secrets: Sequence[str]) -> dict[str, Value]:
    """Return the variables that every expression of a stack sees: `$inputs`, `$secrets`, `$stack`."""
    return {
        "inputs": dict(inputs),
        "secrets": {name: SecretText((SecretRef(name),)) for name in secrets},
        "stack": {"name": stack},
    }


class _Draft:
    """A plan in the making."""

    def __init__(self, situation: Situation, layout: Layout, part: Part, moved: Relocated) -> None:
        self._situation = situation
        self._part = part
        self._moved = moved
        self.outside = Outside(part, moved.rows)
        self._rows = {str(row.address): row for row in moved.rows}
        self._readings = {
            address: reading
            for address in self._rows
            if (reading := situation.readings.get(moved.origin.get(address, address))) is not None
        }
        self._imports: dict[str, Wanted] = {}
        self._adopted: dict[str, str] = {}
        self._wanted: dict[str, bool] = {}
        self._orders: dict[str, Span | None] = {}
        self._changes: dict[str, Change] = {}
        self._claims: dict[str, tuple[str, ...]] = {}
        self._standing: dict[str, Standing] = {}
        self._declared = tuple(layout.nodes)
        given = constants(situation.stack.name, situation.inputs, tuple(situation.stack.secrets))
        self.premises = Premises(layout, given, situation.language, situation.schemas)

    def look_for_imports(self) -> Asking[None]:
        """Find out what exists already and is to be taken over. Raises as `adopting.wanted_of` does."""
        root, situation = self.premises.root.scope, self._situation
        self._imports = yield from wanted_of(situation.stack, root, situation.language)

    def advance(self, wave: Sequence[Node]) -> Asking[list[Standing]]:
        """Return the resources of a wave that the plan is for, and show the others as they stand."""
        chosen = [node for node in wave if self._part.touches(node.path)]
        left = [node for node in wave if not self._part.touches(node.path)]
        yield from self.premises.advance(chosen)
        self.premises.leave_out(left)
        for each in self.premises.resources(left):
            self.outside.note(each.resource.name)
            shown = local(self.outside.standing(each.resource.name)).get(each.local, absent(each.resource))
            self.premises.stand(each, (), shown)
        return self.premises.resources(chosen)

    def refuse_unmatched(self) -> None:
        """Raise `Refusal` (E2013) with every instance that the user named and that is not there."""
        known = (*self._changes, *self._situation.stack.resources, *self._declared)
        if not self._situation.selection.partial:
            refuse_astray(self._imports, self._changes)
        self._changes = {address: self._moved.told(change) for address, change in self._changes.items()}
        refuse_moves(self._changes, self._moved.moves)
        refuse_released(self._changes, self._situation.stack.released)
        self.outside.refuse_unmatched(self._situation.selection, known)

    def expand(self, standing: Sequence[Standing]) -> Asking[list[Instance]]:
        """Return the instances of one wave."""
        self._standing = {each.resource.name: each for each in standing}
        rendered = yield from render_all(
            [Job(repeats(each.resource), each.place.scope, {}) for each in standing],
            self._situation.language,
        )
        instances: list[Instance] = []
        problems: list[Problem] = []
        for each, repeated in zip(standing, rendered, strict=True):
            try:
                instances.extend(self.outside.inside(expand(each.resource, repeated.value)))
            except Refusal as refusal:
                problems.extend(refusal.problems)
        if problems:
            raise Refusal(problems)
        return instances

    def cases(self, instances: Sequence[Instance]) -> Asking[list[Case]]:
        """Return what is known of each instance: what it shall be, and what stands."""
        jobs = [
            Job(instance.resource.config, self.place(instance).scope, instance.variables)
            for instance in instances
        ]
        rendered = yield from render_all(jobs, self._situation.language)
        needs = {name: self.premises.needs(standing) for name, standing in self._standing.items()}
        stack = self._situation.stack
        names = (instance.resource.provider for instance in instances if instance.resource.provider)
        root = self.premises.root.scope
        setups = yield from setups_of(stack, names, root, self._situation.language)
        again = self._situation.selection.replace
        found = yield from adopt(
            [
                Candidate(instance, result.value, needs[name], setups.get(instance.resource.provider))
                for instance, result in zip(instances, rendered, strict=True)
                for name in (instance.resource.name,)
                if instance.address not in self._rows
            ],
            self._imports,
        )
        watched = yield from render_all(
            [
                Job(
                    {each.text: each for each in instance.resource.lifecycle.replace_when},
                    self.place(instance).scope,
                    instance.variables,
                )
                for instance in instances
            ],
            self._situation.language,
        )
        self._rows |= found.rows
        self._adopted |= found.identities
        return [
            replace(
                case_of(
                    instance,
                    result,
                    needs[instance.resource.name],
                    self._rows.get(instance.address),
                    self._readings.get(instance.address),
                    setups.get(instance.resource.provider),
                ),
                forced=names_it(again, instance),
                triggers=triggers,
            )
            for instance, result, triggers in zip(instances, rendered, watched, strict=True)
        ]

    def judge(self, cases: Sequence[Case]) -> Asking[list[tuple[Case, Change, Proposal]]]:
        """Ask the providers what would become of the instances, and decide what happens to each.

        Who is replaced is asked for twice: only without a prior state is it known what the new one
        will be, and what of it is unknown.
        """
        refuse_mixed(cases)
        refuse_kept(cases)
        cases = [replace(case, looks=self._looks(case)) for case in cases]
        setups = self._situation.stack.providers
        proposals = yield from propose([(case, case.prior) for case in cases], setups)
        judged = [
            (case, decide(case, proposal), proposal) for case, proposal in zip(cases, proposals, strict=True)
        ]
        again = [
            index
            for index, (case, change, _) in enumerate(judged)
            if change.action is Action.REPLACE and case.prior is not None
        ]
        fresh = yield from propose([(cases[index].anew_as_written, None) for index in again], setups)
        for index, proposal in zip(again, fresh, strict=True):
            case, change, _ = judged[index]
            config = concealed(case.anew_as_written.template, proposal)
            found = of_its_successor(case, change, proposal)
            change = replace(change, binding=proposal.binding, config=config, differences=found)
            judged[index] = (case, change, proposal)
        return judged

    def _looks(self, case: Case) -> Looks:
        """Return when an instance is looked up, if it is: not before what it needs is as it will be."""
        if not case.instance.resource.reads:
            return Looks.NOT
        early = has_unknown(case.value) or any(self._waits_for(need) for need in case.needs)
        return Looks.LATER if early else Looks.NOW

    def _waits_for(self, need: str) -> bool:
        change = self._changes.get(need)
        if change is None or change.action is Action.KEEP:
            return False
        return change.action is not Action.READ or change.deferred

    def accept(self, standing: Sequence[Standing], judged: Sequence[tuple[Case, Change, Proposal]]) -> None:
        """Keep the changes of a wave and show its resources to the next."""
        attributes: dict[str, dict[str, Value]] = {each.resource.name: {} for each in standing}
        for case, change, proposal in judged:
            imported = self._adopted.get(change.address, "")
            told = change
            if imported:
                told = replace(
                    change, imported=imported, because=change.because or f"imported as `{imported}`"
                )
            self._changes[change.address] = self._waiting(case, told)
            if not case.instance.resource.reads:
                self._wanted[change.address] = create_first(case)
                self._orders[change.address] = case.instance.resource.spans.get(PATH) or change.span
            self._claims[change.address] = proposal.claims
            attributes[change.name][change.address] = _future(change, proposal)
        for each in standing:
            made: dict[str, Value] = {**attributes[each.resource.name]}
            by_address = {**made, **self.outside.standing(each.resource.name)}
            shown: Value = [] if is_counted(each.resource) else {}
            if by_address:
                shown = local(by_address)[each.local]
            self.premises.stand(each, tuple(made), shown)

    def place(self, instance: Instance) -> Place:
        """Return the place of an instance of the wave."""
        return self._standing[instance.resource.name].place

    def _waiting(self, case: Case, change: Change) -> Change:
        """Return a change with the inputs and outputs of modules that it sees only at apply."""
        if not self._situation.stack.modules:
            return change
        place = self.place(case.instance)
        checks = templates_of_checks([each.check for each in in_run(change)])
        waits = self.premises.bridges.waits(place, (change.config, change.triggers, *checks))
        if change.setup:
            waits += self.premises.bridges.waits(self.premises.root, (change.setup,))
        return replace(change, waits=tuple(dict.fromkeys(waits)))

    def finish(self, outputs: Mapping[str, Rendered], checks: tuple[Checked, ...]) -> Plan:
        """Return the plan, in the order in which its changes may start."""
        situation = self._situation
        removable = self.outside.removable(self._changes)
        leaving = removals(removable, self._readings, situation.stack, self._changes)
        going = with_setups([*map(self._moved.told, leaving)], situation.setups)
        succession = Succession(self._wanted, self.outside.rows, self._claims, self._orders)
        declared = succession.spread(list(self._changes.values()), going)
        changes = [*map(self.outside.beside, declared), *going]
        changes = worth_it(changes, situation.stack, situation.language)
        refuse_shared(changes, self._claims, self._readings)
        refuse_protected(changes)
        changes = foreign(changes)
        waits = [*(each.waits for each in changes), *(each.waits for each in checks)]
        bridges = self.premises.bridges.behind([name for each in waits for name in each])
        made = Plan(
            id=PlanId(""),
            stack=situation.stack.name,
            at=situation.at,
            changes=in_order(changes),
            fingerprint=world_of(changes, situation.rows, bridges),
            inputs=dict(situation.inputs),
            outputs={name: output.template for name, output in outputs.items()},
            read_seconds=situation.read_seconds,
            sources=situation.stack.sources,
            secrets=tuple(situation.stack.secrets),
            empty=self.premises.empty,
            selection=situation.selection,
            left_out=self.outside.names(),
            bridges=bridges,
            modules=self.premises.bridges.variables(),
            shown=self.premises.shown(),
            checks=checks,
        )
        # The digest of a whole plan is a large part of planning: it is made once, of all that belongs to it.
        made = under(made, policy_of(situation.stack))
        return replace(made, id=identity(made))


def local(by_address: Mapping[str, Value]) -> dict[str, Value]:
    """Return what the module shows in which some addresses lie."""
    return assemble({split_path(address)[1]: value for address, value in by_address.items()})


def in_order(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return the changes in the order of their steps; what is kept comes last, as declared."""
    order = dict.fromkeys(str(step.change.address) for step in steps_of(changes))
    by_address = {str(change.address): change for change in changes}
    kept = (change for change in changes if str(change.address) not in order)
    return (*(by_address[address] for address in order), *kept)


def _future(change: Change, proposal: Proposal) -> Value:
    """Return the attributes that others will see once the change is done."""
    if change.action is Action.KEEP and change.prior is not None:
        return change.prior.attributes
    return proposal.attributes
