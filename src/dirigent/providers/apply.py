"""The performer of `resource`: one step of a plan, and the change of the row that belongs to it.

The row in the store is always the one from before the step, even after a crash: it changes in the
same commit as the result. So a step that is given again starts from the same place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Final

from dirigent.model.fault import CONFIGURATION, RUNTIME, Fault
from dirigent.model.ids import Address
from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow, keeper_of, row_of
from dirigent.model.run.effect import PAUSED, Broken, Done, Doubt, Order, Outcome
from dirigent.model.run.journal import ResourceChanged
from dirigent.model.values import Value
from dirigent.ports import Clock
from dirigent.ports.importing import Importing
from dirigent.ports.resources import (
    Configurable,
    Discreet,
    Finishing,
    Looking,
    Managing,
    Operation,
    Provider,
    ProviderDoubt,
    ProviderFailed,
)
from dirigent.providers.checking import answered, is_check

_VERBS: Final = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "forget": "forgotten",
    "read": "looked up",
    "import": "imported",
    "move": "moved",
}
RowOf = Callable[[str], Awaitable[ResourceRow | None]]


@dataclass(frozen=True, slots=True)
class Moving:
    """One row that gets the address `to`, or keeps it and gets other needs."""

    source: str
    to: str
    name: str
    key: int | str | None
    needs: tuple[str, ...]
    becomes: Value = None


@dataclass(frozen=True, slots=True)
class Request:
    """What the compiled plan sends.

    `deposes` is where a create moves the row that it replaces, and from where a deletion that takes such a
    create back brings it again. `provider` and the three after it are as in `model.plan.Change`, with
    values; `row` is the one to adopt, as `model.resource.value_of` writes it. What `pauses` waits for a
    person when it fails.
    """

    action: str
    address: str
    name: str
    type: str
    key: int | str | None = None
    config: dict[str, Value] | None = None
    needs: tuple[str, ...] = ()
    protect: bool = False
    deposes: str = ""
    provider: str = ""
    setup: dict[str, Value] = field(default_factory=dict)
    binding: Value = None
    identity: str = ""
    id: str = ""
    moves: tuple[Moving, ...] = ()
    row: Value = None
    pauses: bool = False
    triggers: dict[str, Value] | None = None
    create_first: bool = False


class ResourcePerformer:
    """Implements `ports.Performer` for the function `resource`.

    Actions are create, update, delete and forget, which a provider does, and record and adopt, which only
    change the row; check judges what was evaluated beforehand. On the way back of a plan there are two more:
    restore, which updates what stands, or creates it, and recreate, which creates what is gone. What no
    provider manages any more is forgotten all the same. `providers` are by type; `row_of` reads one row of
    the store.
    """

    def __init__(self, providers: Mapping[str, Managing], row_of: RowOf, clock: Clock) -> None:
        """Keep what the steps need."""
        self._providers = providers
        self._row_of = row_of
        self._clock = clock

    async def perform(self, order: Order) -> Outcome:
        """Do one step. The output is what `$resources` shows of the instance, null after a deletion."""
        if is_check(order.request):
            return _waiting(answered(order.request), pauses=order.request.get("pauses") is True)
        request = request_of(order.request)
        if request.action == "move":
            return await self._moved(request)
        if request.row is not None:
            adopted = row_of(request.address, request.row)
            return Done(adopted.attributes, self._changed((request.address, adopted)))
        row = await self._row_of(request.address)
        request = _as_it_stands(request, row)
        if request.action == "delete" and request.deposes:
            return await self._brought_back(order, request, row)
        return _waiting(await self._performed(order, request, row), pauses=request.pauses)

    async def _performed(self, order: Order, request: Request, row: ResourceRow | None) -> Outcome:
        provider = self._provider(request)
        if order.known:
            found = await _named(order.known, request, provider)
            return (
                found
                if isinstance(found, Doubt)
                else Done(found.attributes, self._applied(request, row, found))
            )
        if request.action == "import":
            return await self._imported(request, row, provider)
        if request.action == "read":
            return await self._looked_up(provider, request)
        forgets = request.action == "forget" and row is not None and provider is not None
        if not forgets and (
            request.action in {"forget", "record", "release", "stand"}
            or (row is None and request.action != "create")
        ):
            return self._kept(request, row)
        if provider is None:
            detail = _coded("E3001", f"no provider manages the type `{request.type}`")
            return Broken(_fault(CONFIGURATION, request, detail))
        return await self._operated(provider, order, request, row)

    async def _brought_back(self, order: Order, request: Request, row: ResourceRow | None) -> Outcome:
        """Take a successor back: it is deleted, and its predecessor has the address again."""
        before = await self._row_of(request.deposes)
        if before is None:
            # The successor was never made: who stands there is the predecessor.
            return Done(None)
        outcome = await self._performed(order, request, row)
        if not isinstance(outcome, Done):
            return outcome
        again = replace(before, address=Address(request.address))
        return Done(None, self._changed((request.deposes, None), (request.address, again)))

    async def _operated(
        self, provider: Provider, order: Order, request: Request, row: ResourceRow | None
    ) -> Outcome:
        """Let the provider do the step."""
        try:
            if request.action == "create" and row is not None and row.tainted and not request.deposes:
                # A person has it made again: what is left of the first attempt goes first, and is looked for.
                gone = replace(request, action="delete", binding=None)
                await provider.apply(_operation(replace(order, doubtful=True), gone, row))
                row = None
            operation = _operation(order, request, row)
            request = await _discreet(provider, request)
            attributes, private = await provider.apply(operation)
        except Refusal as refusal:
            return Broken(_fault(CONFIGURATION, request, "; ".join(str(p) for p in refusal.problems)))
        except ProviderFailed as failure:
            return Broken(_fault(RUNTIME, request, str(failure)), self._left(request, row, failure))
        except ProviderDoubt as doubt:
            return Doubt(str(doubt), doubt.evidence)
        if request.action in {"delete", "forget"}:
            return Done(None, self._changed((request.address, None)))
        return Done(attributes, self._applied(request, row, _row(request, row, attributes, private)))

    async def _moved(self, request: Request) -> Outcome:
        """Give rows their new addresses, all of them in one commit; nothing in the world changes."""
        away: list[tuple[str, ResourceRow | None]] = []
        there: list[tuple[str, ResourceRow | None]] = []
        for move in request.moves:
            row = await self._row_of(move.source)
            if row is None:
                gone = _coded("E3003", f"there is no instance `{move.source}` any more")
                return Broken(_fault(CONFIGURATION, request, gone))
            away += [(move.source, None)] if move.source != move.to else []
            address = Address(move.to)
            kept = _become(row, move.becomes)
            there.append(
                (move.to, replace(kept, address=address, name=move.name, key=move.key, needs=move.needs))
            )
        taken = {address for address, _ in there}
        return Done(None, self._changed(*(each for each in away if each[0] not in taken), *there))

    async def _imported(
        self, request: Request, row: ResourceRow | None, provider: Provider | None
    ) -> Outcome:
        """Take down what exists already. Looking is all that is done, so it may be done again."""
        if row is not None:
            return Done(row.attributes)
        if provider is None or not isinstance(provider, Importing):
            detail = _coded("E2021", f"a `{request.type}` cannot be imported")
            return Broken(_fault(CONFIGURATION, request, detail))
        try:
            found = await provider.adopt(request.type, request.id, request.config or {})
            kept = await _discreet(provider, request)
        except Refusal as refusal:
            return Broken(_fault(CONFIGURATION, request, "; ".join(str(p) for p in refusal.problems)))
        except ProviderFailed as failure:
            return Broken(_fault(RUNTIME, request, str(failure)))
        if found.attributes is None:
            detail = _coded("E2020", f"there is no `{request.type}` with the id `{request.id}` any more")
            return Broken(_fault(RUNTIME, request, detail))
        made = _row(kept, None, found.attributes, found.private)
        made = replace(made, config=found.config or made.config)
        return Done(found.attributes, self._changed((request.address, made)))

    async def _looked_up(self, provider: Provider | None, request: Request) -> Outcome:
        """Look up what is not managed, and keep what was found."""
        if provider is None or not isinstance(provider, Looking):
            detail = _coded("E3001", f"no provider looks up the type `{request.type}`")
            return Broken(_fault(CONFIGURATION, request, detail))
        try:
            found = await provider.look_up(request.type, request.config or {}, later=False)
        except Refusal as refusal:
            return Broken(_fault(CONFIGURATION, request, "; ".join(str(p) for p in refusal.problems)))
        except ProviderFailed as failure:
            return Broken(_fault(RUNTIME, request, str(failure)))
        kept = replace(_row(request, None, found.attributes, found.binding), reads=True)
        return Done(found.attributes, self._changed((request.address, kept)))

    async def abandon(self, order: Order) -> None:
        """Let the provider stop the step, if it can."""
        await self.leave(order)

    async def leave(self, order: Order) -> Sequence[ResourceChanged]:
        """Let the provider stop the step, and return what it has left behind."""
        request = request_of(order.request)
        provider = self._provider(request)
        if provider is None or request.action not in {"create", "update", "delete"}:
            return ()
        row = await self._row_of(request.address)
        operation = _operation(order, request, row)
        if not isinstance(provider, Finishing):
            await provider.abandon(operation)
            return ()
        try:
            request = await _discreet(provider, request)
            attributes, private = await provider.finish(operation)
        except (ProviderFailed, ProviderDoubt) as failure:
            # In doubt the row stays as it is: the next plan looks at what stands.
            return self._left(request, row, failure) if isinstance(failure, ProviderFailed) else ()
        if attributes is not None and request.action == "create":
            return self._applied(request, row, _row(request, row, attributes, private))
        if row is None or (attributes is None and request.action != "delete"):
            return ()
        stands = None if attributes is None else replace(row, attributes=attributes, private=private)
        return self._changed((request.address, stands))

    def _provider(self, request: Request) -> Provider | None:
        """Return who manages the instance, under the configuration that the plan names."""
        provider = self._providers.get(keeper_of(request.type, request.provider))
        return provider.configured(request.setup) if isinstance(provider, Configurable) else provider

    def _kept(self, request: Request, row: ResourceRow | None) -> Outcome:
        """Do what concerns only our own row, or find that there is none to work on."""
        if request.action == "stand":
            return Done(row.attributes if row is not None else None)
        if request.action in {"forget", "release"}:
            return Done(None, self._changed((request.address, None)))
        if request.action == "delete":
            # Somebody made an end of the row in the meantime: that is what was wanted.
            return Done(None)
        if row is None:
            return Broken(
                _fault(CONFIGURATION, request, _coded("E3003", "there is no such instance any more"))
            )
        triggers = row.triggers if request.triggers is None else request.triggers
        ours = replace(row, needs=request.needs, protect=request.protect, triggers=triggers)
        kept = replace(ours, create_first=request.create_first)
        return Done(row.attributes, self._changed((request.address, kept)))

    def _applied(
        self, request: Request, prior: ResourceRow | None, row: ResourceRow
    ) -> tuple[ResourceChanged, ...]:
        """Return the new row; where it takes the place of one that is still to be deleted, that one too."""
        if not request.deposes or prior is None:
            return self._changed((request.address, row))
        # The successor carries the protection; the predecessor is about to go.
        deposed = replace(prior, address=Address(request.deposes), protect=False)
        return self._changed((request.deposes, deposed), (request.address, row))

    def _left(
        self, request: Request, row: ResourceRow | None, failure: ProviderFailed
    ) -> tuple[ResourceChanged, ...]:
        """Return what a failed step leaves behind: a tainted creation, or what stands of the old one."""
        if failure.attributes is None:
            return ()
        if request.action == "create":
            made = _row(request, row, failure.attributes, failure.private)
            return self._applied(request, row, replace(made, tainted=True))
        if row is None:
            return ()
        # The configuration stays the one that was applied: the next plan sees the difference again.
        private = row.private if failure.private is None else failure.private
        stands = replace(row, attributes=failure.attributes, private=private)
        return self._changed((request.address, stands))

    def _changed(self, *rows: tuple[str, ResourceRow | None]) -> tuple[ResourceChanged, ...]:
        at = self._clock.now()
        return tuple(ResourceChanged(at, address, row) for address, row in rows)


def request_of(value: Value) -> Request:
    """Return the request as `planning.compile` wrote it; raise `TypeError` for anything else."""
    if not isinstance(value, dict):
        raise TypeError(f"a request to `resource` is an object, not {value!r}")
    key, config, needs = value.get("key"), value.get("config"), value.get("needs")
    setup = value.get("setup")
    return Request(
        action=str(value["action"]),
        address=str(value["address"]),
        name=str(value["name"]),
        type=str(value["type"]),
        key=key if isinstance(key, int | str) else None,
        config=config if isinstance(config, dict) else None,
        needs=tuple(str(need) for need in needs) if isinstance(needs, list) else (),
        protect=value.get("protect") is True,
        deposes=str(value.get("deposes") or ""),
        provider=str(value.get("provider") or ""),
        setup=setup if isinstance(setup, dict) else {},
        binding=value.get("binding"),
        identity=str(value.get("identity") or ""),
        id=str(value.get("id") or ""),
        moves=_moves_of(value.get("moves")),
        row=value.get("row"),
        pauses=value.get("pauses") is True,
        triggers=triggers if isinstance(triggers := value.get("triggers"), dict) else None,
        create_first=value.get("createFirst") is True,
    )


def _moves_of(value: Value) -> tuple[Moving, ...]:
    return tuple(
        Moving(
            source=str(each["from"]),
            to=str(each["to"]),
            name=str(each["name"]),
            key=key if isinstance(key := each.get("key"), int | str) else None,
            needs=tuple(str(need) for need in needs) if isinstance(needs := each.get("needs"), list) else (),
            becomes=each.get("becomes"),
        )
        for each in (value if isinstance(value, list) else [])
        if isinstance(each, dict)
    )


def _become(row: ResourceRow, becomes: Value) -> ResourceRow:
    """Return a row as what its new provider has made of it; all that is ours stays."""
    if becomes is None:
        return row
    other = row_of(row.address, becomes)
    return replace(
        row,
        type=other.type,
        provider=other.provider,
        config=other.config,
        attributes=other.attributes,
        private=other.private,
    )


def _as_it_stands(request: Request, row: ResourceRow | None) -> Request:
    """Return a request of the way back as what it comes to, given what stands."""
    match request.action:
        case "restore":
            return replace(request, action="create" if row is None else "update")
        case "recreate":
            # What is there still was not deleted; then there is nothing to be made again.
            return replace(request, action="create" if row is None else "stand")
        case _:
            return request


async def _named(known: str, request: Request, provider: Provider | None) -> ResourceRow | Doubt:
    """Return the row of what a person says that a creation has made. What cannot be found stays in doubt."""
    config = request.config or {}
    evidence: dict[str, Value] = {"address": request.address, "type": request.type, "object": config}
    if request.action != "create" or provider is None or not isinstance(provider, Importing):
        return Doubt(_coded("E2021", f"a `{request.type}` cannot be looked up by an id"), evidence)
    try:
        found = await provider.adopt(request.type, known, config)
    except Refusal as refusal:
        return Doubt("; ".join(str(each) for each in refusal.problems), evidence)
    except ProviderFailed as failure:
        return Doubt(str(failure), evidence)
    if found.attributes is None:
        return Doubt(_coded("E2038", f"there is no `{request.type}` with the id `{known}`"), evidence)
    return replace(_row(request, None, found.attributes, found.private), config=found.config or config)


def _operation(order: Order, request: Request, row: ResourceRow | None) -> Operation:
    applied = row.config if row is not None else {}
    config = applied if request.config is None else request.config
    return Operation(
        *(order, request.action, request.address, request.type, config, row),
        binding=request.binding,
        identity=request.identity,
    )


async def _discreet(provider: Provider, request: Request) -> Request:
    """Return a request with what its row may keep as configuration. Raises `Refusal`, `ProviderFailed`."""
    if request.config is None or not isinstance(provider, Discreet):
        return request
    return replace(request, config=await provider.kept(request.type, request.config))


def _row(
    request: Request, prior: ResourceRow | None, attributes: dict[str, Value], private: Value
) -> ResourceRow:
    return ResourceRow(
        address=Address(request.address),
        name=request.name,
        type=request.type,
        config=request.config if request.config is not None else prior.config if prior else {},
        attributes=attributes,
        key=request.key,
        needs=request.needs,
        private=private,
        protect=request.protect,
        provider=request.provider,
        triggers=request.triggers or {},
        create_first=request.create_first,
    )


def _fault(kind: str, request: Request, detail: str) -> Fault:
    done = _VERBS.get(request.action, request.action)
    status = 400 if kind == CONFIGURATION else 500
    return Fault(kind, status, title=f"`{request.address}` could not be {done}", detail=detail)


def _waiting(outcome: Outcome, *, pauses: bool) -> Outcome:
    """Return how a step ends, held instead of broken where the policy is to pause then."""
    if not pauses or not isinstance(outcome, Broken):
        return outcome
    return Doubt(_paused(outcome.fault), {PAUSED: outcome.fault.as_value()}, outcome.records)


def _paused(fault: Fault) -> str:
    return f"{fault.title}: {fault.detail}" if fault.detail else fault.title


def _coded(code: str, detail: str) -> str:
    """Return a detail with the code by which its remedy is found."""
    return f"{code}: {detail}"
