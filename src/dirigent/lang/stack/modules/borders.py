"""What passes the border of a module: inputs, outputs, providers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dirigent.lang.shape import nearest, shortened
from dirigent.lang.stack.modules.finding import depth_of
from dirigent.lang.stack.reading import Reading, mapping_of
from dirigent.lang.tree import Member, Members, plain
from dirigent.model.problem import Label, Problem
from dirigent.model.resource import Resource
from dirigent.model.source import Span
from dirigent.model.stack import Input, Module, ProviderSetup, Stack
from dirigent.model.values import Template, leaves


def read_borders(
    reading: Reading, found: Members | None, resources: Mapping[str, Resource]
) -> dict[str, Module]:
    """Return the modules of a stack with what they are given.

    Problems: inputs that a module does not have (E1449), lacks (E1450), or that do not fit (E1451), and
    providers that it does not have (E1455).
    """
    modules: dict[str, Module] = {}
    for name, used in reading.modules.items():
        entry = mapping_of(found.get(name)) if found is not None else None
        if used.stack is None or entry is None or found is None or name not in resources:
            continue
        inside = mapping_of(entry.get("with"))
        given = mapping_of(inside.get("inputs")) if inside is not None else None
        _check_inputs(reading, found.members[name], used.stack, given, resources[name])
        meant = _providers(reading, used.stack, mapping_of(entry.get("providers")))
        places = {each.key: each.key_span for each in given or ()}
        modules[name] = Module(used.stack, _templates(resources[name]), meant, places, depth_of(used.stack))
    return modules


def _templates(resource: Resource) -> dict[str, Template]:
    inputs = resource.config.get("inputs")
    return inputs if isinstance(inputs, dict) else {}


def _check_inputs(
    reading: Reading, member: Member, stack: Stack, given: Members | None, resource: Resource
) -> None:
    for each in given or ():
        declared = stack.inputs.get(each.key)
        if declared is None:
            _report_unknown(reading, member.key, each, stack)
        elif next(leaves(_templates(resource).get(each.key)), None) is None:
            violation = reading.context.schemas.violation(dict(declared.schema), plain(each.node))
            if violation is not None:
                _report_misfit(reading, member.key, each, declared, violation)
    for name, declared in stack.inputs.items():
        if declared.required and (given is None or name not in given.members):
            reading.complain_beside(
                Problem(
                    "E1450",
                    f"the module `{member.key}` needs a value for its input `{name}`",
                    given.span if given is not None and given.members else member.key_span,
                    f"`{name}` is missing",
                    help=(
                        f"give one under `with.inputs`, or declare a `default` for `{name}` in the module",
                    ),
                ),
                _beside(declared.span, "declared here, without a default"),
            )


def _report_unknown(reading: Reading, module: str, given: Member, stack: Stack) -> None:
    meant = nearest(given.key, list(stack.inputs))
    names = ", ".join(f"`{name}`" for name in stack.inputs) or "none"
    reading.complain_beside(
        Problem(
            "E1449",
            f"the module `{module}` has no input `{shortened(given.key)}`",
            given.key_span,
            f"did you mean `{meant}`?" if meant else "not declared in the module",
            help=(f"change it to `{meant}`" if meant else f"its inputs: {names}",),
        ),
        _beside(stack.inputs[meant].span if meant else None, "an input with a similar name"),
    )


def _report_misfit(reading: Reading, module: str, given: Member, declared: Input, violation: str) -> None:
    where = given.node.span
    written = where.line == where.end_line and where.column < where.end_column
    reading.complain_beside(
        Problem(
            "E1451",
            f"the input `{given.key}` of the module `{module}` does not fit its schema: {violation}",
            where if written else given.key_span,
            "does not fit",
            help=("change the value, or the schema in the module",),
        ),
        _beside(declared.span, "its schema"),
    )


def _providers(reading: Reading, stack: Stack, given: Members | None) -> dict[str, str]:
    meant: dict[str, str] = {}
    for each in given or ():
        value = plain(each.node)
        if each.key not in stack.providers:
            near = nearest(each.key, list(stack.providers))
            reading.complain(
                "E1455",
                f"the module declares no provider `{shortened(each.key)}`",
                each.key_span,
                f"did you mean `{near}`?" if near else "not declared in the module",
                "on the left stand names of the module, on the right those of this stack",
            )
        elif isinstance(value, str):
            meant[each.key] = value
    return meant


def join_providers(
    reading: Reading,
    found: Members | None,
    modules: Mapping[str, Module],
    providers: Mapping[str, ProviderSetup],
) -> dict[str, ProviderSetup]:
    """Return the providers of a stack with the versions that its modules want, too.

    Problems: a provider that a module needs and the stack does not declare (E1453), or declares with another
    source (E1454).
    """
    wanted: dict[str, list[str]] = {}
    for name, module in modules.items():
        member = found.members[name] if found is not None else None
        for inner, setup in module.stack.providers.items():
            own = providers.get(module.providers.get(inner, inner))
            if own is None and member is not None:
                _report_absent(reading, member, module, setup)
            elif own is not None and own.source != setup.source and member is not None:
                _report_source(reading, member, own, setup)
            elif own is not None:
                wanted.setdefault(own.of or own.name, []).append(setup.version)
    return {
        name: replace(setup, version=joined(setup.version, wanted.get(setup.of or name, ())))
        for name, setup in providers.items()
    }


def joined(own: str, others: Sequence[str]) -> str:
    """Return the constraint that all constraints together are."""
    parts = [part.strip() for constraint in (own, *others) for part in constraint.split(",")]
    return ", ".join(dict.fromkeys(part for part in parts if part))


def _report_absent(reading: Reading, member: Member, module: Module, setup: ProviderSetup) -> None:
    name = module.providers.get(setup.name, setup.name)
    source = setup.source.partition("/")[2] or setup.source
    reading.complain_beside(
        Problem(
            "E1453",
            f"the module `{member.key}` needs the provider `{setup.name}`, and there is no `{name}` here",
            member.key_span,
            "its configuration comes from this stack",
            help=(
                f"declare `{name}: {{source: {source}}}` under `providers`",
                f"or say which one it means: `providers: {{{setup.name}: NAME}}` beside `with`",
            ),
        ),
        _beside(setup.span, "needed here"),
    )


def _report_source(reading: Reading, member: Member, own: ProviderSetup, setup: ProviderSetup) -> None:
    reading.complain_beside(
        Problem(
            "E1454",
            f"the module `{member.key}` means `{setup.source}` by `{setup.name}`, "
            f"but `{own.name}` is `{own.source}`",
            member.key_span,
            "two sources",
            help=("give it a provider of the same source, with `providers:` beside `with`",),
        ),
        (*_beside(setup.span, "in the module"), *_beside(own.span, "in this stack")),
    )


def _beside(span: Span | None, label: str) -> tuple[Label, ...]:
    return (Label(span, label),) if span is not None else ()
