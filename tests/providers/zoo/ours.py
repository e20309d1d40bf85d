"""What our own life cycle of an object makes of the cases, without a stack around it."""

from dataclasses import dataclass, field

from dirigent.providers.tofu.lifecycle.cycle import carry_out, intend, look
from dirigent.providers.tofu.schema.configuration import configured
from providers.zoo.cases import Keyed, Ref
from providers.zoo.terraform import Met


@dataclass
class Cycle:
    """The sessions by the prefix of a type, and what stands: address -> (type, standing, tainted)."""

    sessions: dict[str, object]
    stands: dict[str, tuple[str, object, bool]] = field(default_factory=dict)

    def session(self, kind):
        return self.sessions[kind.split("_")[0]]

    async def bring(self, declared):
        """Make what stands before; those that break half-way do so."""
        shown = {}
        for address, name, key, each in instances(declared):
            session = self.session(each.type)
            made = await carry_out(
                session, await intend(session, each.type, None, self.config(each, shown, key))
            )
            self.stands[address] = (each.type, made.standing, any(said.severe for said in made.said))
            shown[name] = made.standing.state

    async def meet(self, declared):
        """Return, by address, what is planned and what it comes to."""
        seen = {address: await self.seen(address) for address in self.stands}
        found = {address: Met("delete") for address, prior in seen.items() if prior is not None}
        shown, steps = {}, {}
        for address, name, key, each in instances(declared):
            steps[address] = await self.intended(each, seen.get(address), address, (shown, key))
            found[address] = self.told(each, seen.get(address), steps[address])
            shown[name] = found[address].planned
        shown = {}
        for address, name, key, each in instances(declared):
            prior, met = seen.get(address), found[address]
            state = met.planned
            if met.action != "keep":
                again = await self.intended(each, prior, address, (shown, key))
                approved = steps[address].change.planned
                done = await carry_out(self.session(each.type), again, approved)
                assert not done.said, (address, done.said)
                state = done.standing.state
            shown[name] = state
            found[address] = Met(met.action, met.planned, met.forced, state)
        return found

    async def seen(self, address):
        kind, standing, _ = self.stands[address]
        return await look(self.session(kind), kind, 0, standing)

    async def intended(self, each, prior, address, where):
        """Say what would become of an instance; where it is made anew, nothing is ignored."""
        session, written = self.session(each.type), self.config(each, *where)
        if prior is None or self.stands[address][2]:
            return await intend(session, each.type, None, written)
        kept = {name: prior.state[name] if name in each.ignore else value for name, value in written.items()}
        found = await intend(session, each.type, prior, kept)
        if not found.replaces or kept == written:
            return found
        anew = await intend(session, each.type, None, written)
        return type(found)(anew.change, found.replaces, anew.legacy)

    def told(self, each, prior, step):
        replaced = "replace, create first" if each.first else "replace"
        if prior is None:
            return Met("create", step.change.planned)
        if step.change.prior is None:
            return Met(replaced, step.change.planned, frozenset(step.replaces))
        return Met("keep" if step.nothing else "update", step.change.planned)

    def config(self, each, shown, key):
        block = self.session(each.type).schema(each.type).block
        found, odd = configured(block, evaluated(each.config, shown, key))
        assert not odd, odd
        return found


def instances(declared):
    """Yield address, name, key and declaration of each instance."""
    for name, each in declared.items():
        match each.many:
            case None:
                yield name, name, None, each
            case int():
                for at in range(each.many):
                    yield f"{name}[{at}]", name, at, each
            case _:
                for key in each.many:
                    yield f'{name}["{key}"]', name, key, each


def evaluated(value, shown, key):
    match value:
        case dict():
            return {name: evaluated(each, shown, key) for name, each in value.items()}
        case list():
            return [evaluated(each, shown, key) for each in value]
        case Ref(resource, attribute):
            return shown[resource][attribute]
        case Keyed(text):
            return f"{text}{key}"
        case _:
            return value
