"""What happens to one instance, given all that is known about it. One function, no state.

An instance is kept when its configuration, its reading and the provider's proposal all say that it
is as it should be. Only what is ours changes (`needs`, `protect`): an update that no provider sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, cast

from dirigent.model.plan import Action, Change, Checked, Difference
from dirigent.model.record import dataclass
from dirigent.model.resource import Replace, ResourceRow
from dirigent.model.values import SecretText, Template, Value, has_unknown
from dirigent.planning.expand import Instance
from dirigent.planning.request import Looks
from dirigent.planning.values.difference import differences, forced, keep_ignored
from dirigent.planning.values.evaluate import Rendered
from dirigent.planning.values.setups import members_of, templates_of
from dirigent.ports.resources import Proposal, Reading

# Differences of what we keep about an instance; no provider is called for these alone.
OWN_PATHS: Final = ("needs", "lifecycle.protect", "lifecycle.replace-when", "lifecycle.replace")

# How many paths a reason names.
_SHOWN: Final = 3


NO_TRIGGERS: Final = Rendered({}, {})


@dataclass(frozen=True, slots=True)
class Case:
    """One declared instance: what it shall be (`value`, `template`), and what stands (`row`, `reading`).

    `needs` are the addresses it depends on. `reading` None means that nobody looked. `setup` is how its
    provider is configured, None for a type of ours. `written` is what the stack says, where `value` holds
    something else because the lifecycle ignores it. `forced` says that the user wants it made anew.
    `checks` are those that come before a change.
    """

    instance: Instance
    value: dict[str, Value]
    template: dict[str, Template]
    needs: tuple[str, ...] = ()
    row: ResourceRow | None = None
    reading: Reading | None = None
    setup: Rendered | None = None
    looks: Looks = Looks.NOT
    written: Rendered | None = None
    forced: bool = False
    triggers: Rendered = NO_TRIGGERS
    checks: tuple[Checked, ...] = ()

    @property
    def anew_as_written(self) -> Case:
        """Return the case of a new object: `ignore` is for what stands, and of the new one nothing does."""
        if self.written is None:
            return self
        value, template = self.written.value, self.written.template
        return replace(
            self,
            value=value if isinstance(value, dict) else {},
            template=template if isinstance(template, dict) else {},
        )

    @property
    def gone(self) -> bool:
        """Return whether somebody else has deleted it."""
        return self.row is not None and self.reading is not None and self.reading.attributes is None

    @property
    def standing(self) -> ResourceRow | None:
        """Return the row as the world stands now, None when there is nothing."""
        return None if self.gone else standing(self.row, self.reading)

    @property
    def anew(self) -> bool:
        """Return whether what stands cannot be updated: its creation failed, or it has another type."""
        return self.row is not None and (self.row.tainted or self.row.type != self.instance.resource.type)

    @property
    def prior(self) -> ResourceRow | None:
        """Return what a provider may build upon."""
        return None if self.anew else self.standing


def standing(row: ResourceRow | None, reading: Reading | None) -> ResourceRow | None:
    """Return the row with what was read put over what was applied."""
    if row is None or reading is None or reading.attributes is None:
        return row
    private = row.private if reading.private is None else reading.private
    config = {**row.config, **reading.config}
    return replace(row, attributes=reading.attributes, config=config, private=private)


def case_of(
    instance: Instance,
    rendered: Rendered,
    needs: tuple[str, ...],
    row: ResourceRow | None,
    reading: Reading | None,
    setup: Rendered | None = None,
) -> Case:
    """Return the case, with what stands now put at every path that the lifecycle ignores."""
    value = rendered.value if isinstance(rendered.value, dict) else {}
    template = rendered.template if isinstance(rendered.template, dict) else {}
    case = Case(instance, value, template, needs, row, reading, setup)
    ignore = instance.resource.lifecycle.ignore
    stands = case.standing
    if not ignore or stands is None or case.anew:
        return case
    kept = keep_ignored(template, stands.config, ignore)
    # The same paths in both: what is ignored is a value in the template too.
    shown = keep_ignored(_templates(value), stands.config, ignore)
    return replace(case, template=kept, value=_values(shown), written=rendered)


def decide(case: Case, proposal: Proposal) -> Change:
    """Return the change. `proposal` is the provider's answer for `case.prior` and `case.value`."""
    change = _blank(case, proposal)
    if case.instance.resource.reads:
        return _looked_up(case, change, proposal)
    return _managed(case, change, proposal)


def _managed(case: Case, change: Change, proposal: Proposal) -> Change:
    resource = case.instance.resource
    stands = case.standing
    if case.row is None or stands is None:
        found = differences({}, _wanted(case, proposal), resource.spans)
        because = "gone since it was applied" if case.gone else "declared, and not there yet"
        return replace(change, action=Action.CREATE, differences=found, because=because, drifted=case.gone)
    found = differences(_present(stands, proposal), _wanted(case, proposal), resource.spans)
    drift = _drift(case, stands)
    if case.anew:
        return _replaced(change, found, _why_anew(case.row, resource.type), drifted=bool(drift))
    if not found and not proposal.decided:
        # Whoever changes the world and the stack alike still leaves a row that knows nothing of it.
        found = differences(case.row.config, case.value, resource.spans) if drift else ()
        found = found or _proposed(stands, proposal)
    # A provider may name every path that ever forces a replacement: only those count that change.
    found = (*forced(found, proposal.replace), *_triggered(case, case.row))
    forcing = [item.path for item in found if item.forces_replacement]
    if case.forced or forcing:
        because = _why_replaced(forcing)
        return _replaced(change, found, because, drifted=bool(drift))
    if found:
        drifted = bool(drift)
        because = _why_update(found, drift)
        return replace(change, action=Action.UPDATE, differences=found, because=because, drifted=drifted)
    own = _own_differences(case, case.row)
    if own:
        because = f"only what Dirigent keeps about it changes: {_listed([item.path for item in own])}"
        return replace(change, action=Action.UPDATE, differences=own, because=because)
    return change


def of_its_successor(case: Case, change: Change, proposal: Proposal) -> tuple[Difference, ...]:
    """Return the differences of a replacement whose lifecycle ignores some: of the new one nothing is."""
    if case.written is None or case.row is None or not proposal.decided:
        return change.differences
    stands = case.standing or case.row
    new = case.anew_as_written
    found = differences(_present(stands, proposal), _wanted(new, proposal), case.instance.resource.spans)
    forcing = [each for each in change.differences if each.forces_replacement]
    marked = forced(found, [each.path for each in forcing])
    seen = {each.path for each in marked}
    return (*marked, *(each for each in forcing if each.path not in seen))


def _looked_up(case: Case, change: Change, proposal: Proposal) -> Change:
    """Return the change of what is only looked up: what is known of it already needs no step."""
    row = case.row
    if row is None:
        because = "looked up once more is known" if proposal.deferred else "looked up"
        return replace(change, action=Action.READ, because=because)
    found = differences(_set_members(row.attributes), _set_members(proposal.attributes))
    own = row.needs != case.needs or row.config != case.value
    if not found and not own:
        return change
    prior = replace(row, attributes=proposal.attributes)
    because = "what is looked up has changed"
    return replace(
        change, action=Action.READ, differences=found, because=because, prior=prior, drifted=not own
    )


def is_record(change: Change) -> bool:
    """Return whether an update concerns only our own row, so that no provider is called."""
    return change.action is Action.UPDATE and all(item.path in OWN_PATHS for item in change.differences)


def _present(stands: ResourceRow, proposal: Proposal) -> dict[str, Value]:
    """Return what stands, in the terms in which it is to be compared."""
    return _set_members(stands.attributes) if proposal.decided else stands.config


def _wanted(case: Case, proposal: Proposal) -> dict[str, Value]:
    """Return what is wanted, in the terms in which it is to be compared."""
    return _set_members(proposal.attributes) if proposal.decided else case.value


def _set_members(attributes: dict[str, Value]) -> dict[str, Value]:
    """Return the members that say something: a provider names all that there could be."""
    return {name: value for name, value in attributes.items() if value is not None and value not in ([], {})}


def concealed(template: dict[str, Template], proposal: Proposal) -> dict[str, Template]:
    """Return a configuration with those of its literals hidden that its provider calls sensitive."""
    hidden = proposal.config or {}
    return {name: _hidden(each, hidden.get(name)) for name, each in template.items()}


def _hidden(template: Template, hidden: Value) -> Template:
    match template, hidden:
        case dict(), dict():
            return {name: _hidden(each, hidden.get(name)) for name, each in template.items()}
        case list(), list() if len(template) == len(hidden):
            return [_hidden(*pair) for pair in zip(template, hidden, strict=True)]
        case ((bool() | int() | float() | str()), SecretText()):
            return hidden
        case _:
            return template


def _blank(case: Case, proposal: Proposal) -> Change:
    resource = case.instance.resource
    return Change(
        address=case.instance.address,
        name=resource.name,
        type=resource.type,
        action=Action.KEEP,
        key=case.instance.key,
        config=concealed(case.template, proposal),
        prior=case.row if case.gone else _prior_shown(case),
        needs=case.needs,
        protect=resource.lifecycle.protect,
        create_first=False,
        warnings=proposal.warnings,
        span=resource.span,
        each=case.instance.each,
        provider=resource.provider,
        setup=templates_of(case.setup.template) if case.setup else {},
        binding=proposal.binding,
        identity=resource.identity,
        deferred=proposal.deferred,
        triggers=templates_of(case.triggers.template),
    )


def _prior_shown(case: Case) -> ResourceRow | None:
    """Return the row with the attributes as they are now; its configuration stays what was applied."""
    if case.row is None or case.standing is None:
        return case.row
    return replace(case.row, attributes=case.standing.attributes, private=case.standing.private)


def _drift(case: Case, stands: ResourceRow) -> tuple[Difference, ...]:
    """Return what differs from what was applied and is not ignored, as the way back to it."""
    if case.row is None or not case.reading or not case.reading.config:
        return ()
    ignore = case.instance.resource.lifecycle.ignore
    back = _values(keep_ignored(_templates(case.row.config), stands.config, ignore))
    return differences(stands.config, back, case.instance.resource.spans)


def _proposed(stands: ResourceRow, proposal: Proposal) -> tuple[Difference, ...]:
    """Return attributes that the provider means to change although the configuration does not."""
    known = {
        name: value
        for name, value in proposal.attributes.items()
        if name in stands.attributes and not has_unknown(value)
    }
    return differences({name: stands.attributes[name] for name in known}, known)


def _triggered(case: Case, row: ResourceRow) -> tuple[Difference, ...]:
    """Return the values of `replace-when` that are no longer, or may not be, what they were."""
    span = case.instance.resource.spans.get("lifecycle.replace-when")
    return tuple(
        Difference(f"replace-when {text}", row.triggers[text], value, forces_replacement=True, span=span)
        for text, value in members_of(case.triggers.value).items()
        if text in row.triggers and row.triggers[text] != value
    )


def _own_differences(case: Case, row: ResourceRow) -> tuple[Difference, ...]:
    resource = case.instance.resource
    found: list[Difference] = []
    if row.needs != case.needs:
        span = resource.spans.get("needs")
        found.append(Difference("needs", list(row.needs), list(case.needs), span=span))
    protect = resource.lifecycle.protect
    if row.protect is not protect:
        span = resource.spans.get("lifecycle.protect") or resource.spans.get("lifecycle")
        found.append(Difference("lifecycle.protect", row.protect, protect, span=span))
    watched = members_of(case.triggers.value)
    if {*row.triggers} != {*watched}:
        # What is watched from now on has no former value to be compared with.
        span = resource.spans.get("lifecycle.replace-when") or resource.spans.get("lifecycle")
        found.append(Difference("lifecycle.replace-when", dict(row.triggers), watched, span=span))
    return tuple(found)


def _replaced(change: Change, found: tuple[Difference, ...], because: str, *, drifted: bool) -> Change:
    return replace(change, action=Action.REPLACE, differences=found, because=because, drifted=drifted)


def create_first(case: Case) -> bool:
    """Return whether the lifecycle wants the successor before the predecessor goes."""
    return case.instance.resource.lifecycle.replace is Replace.CREATE_FIRST


def _why_anew(row: ResourceRow, type_name: str) -> str:
    if row.type != type_name:
        return f"its type changes from `{row.type}` to `{type_name}`"
    return "its creation failed half-way"


def _why_replaced(forcing: Sequence[str]) -> str:
    if not forcing:
        return "asked for with `--replace`"
    return f"{_listed(forcing)} {'force' if len(forcing) > 1 else 'forces'} replacement"


def _why_update(found: Sequence[Difference], drift: Sequence[Difference]) -> str:
    if drift:
        return f"changed outside: {_listed([item.path for item in drift])}"
    paths = [item.path for item in found]
    return f"{_listed(paths)} {'differ' if len(paths) > 1 else 'differs'}"


def _listed(paths: Sequence[str]) -> str:
    shown = ", ".join(f"`{path}`" for path in paths[:_SHOWN])
    return f"{shown} and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else shown


def _values(templates: dict[str, Template]) -> dict[str, Value]:
    # Only values went in, so only values came out: the type cannot say it.
    return cast("dict[str, Value]", templates)


def _templates(values: dict[str, Value]) -> dict[str, Template]:
    return cast("dict[str, Template]", values)
