"""The plan: every instance judged in the order of needs, what is no longer declared, and their order.

A generator without I/O: it yields `Ask` and `Propose` and is sent the answers, resource by resource
in waves, because what one resource becomes decides what the next one's expressions see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from dirigent.model.ids import PlanId
from dirigent.model.plan import EVERYTHING, Action, Change, Plan, Selection, identity
from dirigent.model.problem import Problem, Refusal
from dirigent.model.record import dataclass
from dirigent.model.resource import Resource, ResourceRow, assemble
from dirigent.model.stack import Stack
from dirigent.model.values import SecretRef, SecretText, Template, Value
from dirigent.planning import graph
from dirigent.planning.claims import refuse_shared
from dirigent.planning.decide import Case, case_of, create_first, decide
from dirigent.planning.expand import Instance, expand, is_counted, repeats
from dirigent.planning.remove import refuse_protected, refuse_released, removals, with_setups
from dirigent.planning.request import Answers, Asking, Propose, Wish
from dirigent.planning.rows.adopting import Candidate, Wanted, adopt, refuse_astray, wanted_of
from dirigent.planning.rows.moving import Relocated, refuse_moves, relocated
from dirigent.planning.rows.outside import Outside, names_it
from dirigent.planning.rows.selection import Part, part_of
from dirigent.planning.safety.touching import world_of
from dirigent.planning.steps import spread_create_first, steps_of
from dirigent.planning.values.difference import span_of
from dirigent.planning.values.evaluate import Rendered, Scope, render
from dirigent.planning.values.setups import Setups, absent, members_of, setups_now, setups_of
from dirigent.ports import Language, Proposal, Reading


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a plan is made from.

    `rows` is the state as stored, `readings` what the providers saw, by address (an address that is
    missing was not looked at). `at` is the time of planning, `read_seconds` how long reading took.
    `setups` is how the providers are configured as the rows stand; `selection` is what the plan is for.
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


def plan(situation: Situation) -> Asking[Plan]:
    """Return the plan that turns what is into what is declared.

    Raises:
        Refusal: with all problems of the stage that failed: references (E2001-E2004), repetition
            (E2005-E2009), a provider's refusal (E3xxx), what two instances want (E2011, E2012),
            protected resources (E2008).
    """
    edges = graph.edges_of(situation.stack.resources, situation.language, situation.stack.providers)
    graph.refuse_cycle(situation.stack.resources, edges)
    moved = relocated(situation.rows, situation.stack.moved)
    draft = _Draft(situation, part_of(situation.selection, edges, moved.rows), moved)
    yield from draft.look_for_imports()
    for wave in graph.waves({name: edges[name] for name in draft.chosen()}):
        resources = [situation.stack.resources[name] for name in wave]
        instances = yield from draft.expand(resources)
        cases = yield from draft.cases(instances, edges)
        judged = yield from draft.judge(cases)
        draft.accept(resources, judged)
    draft.refuse_unmatched()
    outputs = yield from render(
        [(template, {}) for template in situation.stack.outputs.values()], draft.scope, situation.language
    )
    return draft.finish(dict(zip(situation.stack.outputs, outputs, strict=True)))


def evaluate_outputs(
    stack: Stack, inputs: Mapping[str, Value], rows: Sequence[ResourceRow], language: Language
) -> Asking[dict[str, Value]]:
    """Return the outputs of a stack as its rows stand, for `up` to show when it has ended."""
    scope = Scope(constants(stack.name, inputs, tuple(stack.secrets)))
    attributes: dict[str, Value] = {row.address: row.attributes for row in rows if "#" not in row.address}
    shown = {name: absent(resource) for name, resource in stack.resources.items()}
    for name, value in {**shown, **assemble(attributes)}.items():
        scope.show(name, value)
    rendered = yield from render([(template, {}) for template in stack.outputs.values()], scope, language)
    return {name: output.value for name, output in zip(stack.outputs, rendered, strict=True)}


def setups_standing(
    stack: Stack, inputs: Mapping[str, Value], rows: Sequence[ResourceRow], language: Language
) -> Asking[Setups]:
    """Return how the providers of a stack are configured as its rows stand. Raises `Refusal` (E2004)."""
    scope = Scope(constants(stack.name, inputs, tuple(stack.secrets)))
    return setups_now(stack, scope, rows, language)


def constants(stack: str, inputs: Mapping[str, Value], secrets: Sequence[str]) -> dict[str, Value]:
    """Return the variables that every expression of a stack sees: `$inputs`, `$secrets`, `$stack`."""
    return {
        "inputs": dict(inputs),
        "secrets": {name: SecretText((SecretRef(name),)) for name in secrets},
        "stack": {"name": stack},
    }


class _Draft:
    """A plan in the making."""

    def __init__(self, situation: Situation, part: Part, moved: Relocated) -> None:
        self._situation = situation
        self._part = part
        self._moved = moved
        self._outside = Outside(part, moved.rows)
        self._rows = {str(row.address): row for row in moved.rows}
        self._readings = {
            address: reading
            for address in self._rows
            if (reading := situation.readings.get(moved.origin.get(address, address))) is not None
        }
        self._imports: dict[str, Wanted] = {}
        self._adopted: dict[str, str] = {}
        self._wanted: dict[str, bool] = {}
        self._addresses: dict[str, tuple[str, ...]] = {}
        self._changes: dict[str, Change] = {}
        self._empty: dict[str, Value] = {}
        self._claims: dict[str, tuple[str, ...]] = {}
        names = tuple(situation.stack.secrets)
        self.scope = Scope(constants(situation.stack.name, situation.inputs, names))

    def look_for_imports(self) -> Asking[None]:
        """Find out what exists already and is to be taken over. Raises as `adopting.wanted_of` does."""
        self._imports = yield from wanted_of(self._situation.stack, self.scope, self._situation.language)

    def chosen(self) -> list[str]:
        """Return the resources that the plan is for, and show the others as they stand."""
        resources = self._situation.stack.resources
        chosen: list[str] = []
        for name, resource in resources.items():
            if self._part.touches(name):
                chosen.append(name)
            else:
                self._outside.note(name)
                self.scope.show(name, assemble(self._outside.standing(name)).get(name, absent(resource)))
        return chosen

    def refuse_unmatched(self) -> None:
        """Raise `Refusal` (E2013) with every instance that the user named and that is not there."""
        known = (*self._changes, *self._situation.stack.resources)
        if not self._situation.selection.partial:
            refuse_astray(self._imports, self._changes)
        self._changes = {address: self._moved.told(change) for address, change in self._changes.items()}
        refuse_moves(self._changes, self._situation.stack.moved)
        refuse_released(self._changes, self._situation.stack.released)
        self._outside.refuse_unmatched(self._situation.selection, known)

    def expand(self, resources: Sequence[Resource]) -> Asking[list[Instance]]:
        """Return the instances of one wave."""
        rendered = yield from render(
            [(repeats(resource), {}) for resource in resources], self.scope, self._situation.language
        )
        instances: list[Instance] = []
        problems: list[Problem] = []
        for resource, repeated in zip(resources, rendered, strict=True):
            try:
                instances.extend(self._outside.inside(expand(resource, repeated.value)))
            except Refusal as refusal:
                problems.extend(refusal.problems)
        if problems:
            raise Refusal(problems)
        return instances

    def cases(self, instances: Sequence[Instance], edges: graph.Edges) -> Asking[list[Case]]:
        """Return what is known of each instance: what it shall be, and what stands."""
        templates: list[tuple[Template, Mapping[str, Value]]] = [
            (instance.resource.config, instance.variables) for instance in instances
        ]
        rendered = yield from render(templates, self.scope, self._situation.language)
        needs = {
            name: tuple(address for need in edges[name] for address in self._addresses[need])
            for name in dict.fromkeys(instance.resource.name for instance in instances)
        }
        stack = self._situation.stack
        names = (instance.resource.provider for instance in instances if instance.resource.provider)
        setups = yield from setups_of(stack, names, self.scope, self._situation.language)
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
            )
            for instance, result in zip(instances, rendered, strict=True)
        ]

    def judge(self, cases: Sequence[Case]) -> Asking[list[tuple[Case, Change, Proposal]]]:
        """Ask the providers what would become of the instances, and decide what happens to each.

        Who is replaced is asked for twice: only without a prior state is it known what the new one
        will be, and what of it is unknown.
        """
        proposals = yield from _propose([(case, case.prior) for case in cases])
        judged = [
            (case, decide(case, proposal), proposal) for case, proposal in zip(cases, proposals, strict=True)
        ]
        again = [
            index
            for index, (case, change, _) in enumerate(judged)
            if change.action is Action.REPLACE and case.prior is not None
        ]
        fresh = yield from _propose([(cases[index].anew_as_written, None) for index in again])
        for index, proposal in zip(again, fresh, strict=True):
            case, change, _ = judged[index]
            config = case.anew_as_written.template
            judged[index] = (case, replace(change, binding=proposal.binding, config=config), proposal)
        return judged

    def accept(
        self,
        resources: Sequence[Resource],
        judged: Sequence[tuple[Case, Change, Proposal]],
    ) -> None:
        """Keep the changes of a wave and show its resources to the next."""
        attributes: dict[str, dict[str, Value]] = {resource.name: {} for resource in resources}
        for case, change, proposal in judged:
            adopts = self._adopted.get(change.address, "")
            because = change.because or (f"imported as `{adopts}`" if adopts else "")
            self._changes[change.address] = replace(change, adopts=adopts, because=because)
            self._wanted[change.address] = create_first(case)
            self._claims[change.address] = proposal.claims
            attributes[change.name][change.address] = _future(change, proposal)
        for resource in resources:
            by_address: dict[str, Value] = {**attributes[resource.name]}
            self._addresses[resource.name] = tuple(by_address)
            by_address = {**by_address, **self._outside.standing(resource.name)}
            if by_address:
                self.scope.show(resource.name, assemble(by_address)[resource.name])
            else:
                self._empty[resource.name] = [] if is_counted(resource) else {}
                self.scope.show(resource.name, self._empty[resource.name])

    def finish(self, outputs: Mapping[str, Rendered]) -> Plan:
        """Return the plan, in the order in which its changes may start."""
        situation = self._situation
        declared = spread_create_first(list(self._changes.values()), self._wanted)
        removable = self._outside.removable(self._changes)
        going = map(self._moved.told, removals(removable, self._readings, situation.stack, self._changes))
        changes = [*map(self._outside.beside, declared), *with_setups([*going], situation.setups)]
        refuse_shared(changes, self._claims, self._readings)
        refuse_protected(changes)
        made = Plan(
            id=PlanId(""),
            stack=situation.stack.name,
            at=situation.at,
            changes=in_order(changes),
            fingerprint=world_of(changes, situation.rows),
            inputs=dict(situation.inputs),
            outputs={name: output.template for name, output in outputs.items()},
            read_seconds=situation.read_seconds,
            sources=situation.stack.sources,
            secrets=tuple(situation.stack.secrets),
            empty=self._empty,
            selection=situation.selection,
            left_out=self._outside.names(),
        )
        return replace(made, id=identity(made))


def in_order(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return the changes in the order of their steps; what is kept comes last, as declared."""
    order = dict.fromkeys(str(step.change.address) for step in steps_of(changes))
    by_address = {str(change.address): change for change in changes}
    kept = (change for change in changes if str(change.address) not in order)
    return (*(by_address[address] for address in order), *kept)


def _propose(wishes: Sequence[tuple[Case, ResourceRow | None]]) -> Asking[list[Proposal]]:
    """Ask for proposals, all at once.

    Raises:
        Refusal: with every problem that a provider answers, placed at its resource.
    """
    if not wishes:
        return []
    answers: Answers = yield Propose(
        tuple(
            Wish(
                case.instance.address,
                case.instance.resource.type,
                prior,
                case.value,
                case.instance.resource.provider,
                members_of(case.setup.value) if case.setup else {},
                succeeds=case.standing if prior is None else None,
            )
            for case, prior in wishes
        )
    )
    proposals: list[Proposal] = []
    problems: list[Problem] = []
    for (case, _), answer in zip(wishes, answers, strict=True):
        if isinstance(answer, Proposal):
            proposals.append(answer)
        elif isinstance(answer, Refusal):
            problems.extend(_placed(problem, case.instance.resource) for problem in answer.problems)
    if problems:
        raise Refusal(problems)
    return proposals


def _future(change: Change, proposal: Proposal) -> Value:
    """Return the attributes that others will see once the change is done."""
    if change.action is Action.KEEP and change.prior is not None:
        return change.prior.attributes
    return proposal.attributes


def _placed(problem: Problem, resource: Resource) -> Problem:
    """Return a provider's problem with a place. A provider knows none: it names the property as label."""
    if problem.at is not None:
        return problem
    return replace(problem, at=span_of(problem.label, resource.spans) or resource.span, label="")
