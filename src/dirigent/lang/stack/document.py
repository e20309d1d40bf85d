"""A stack file, read whole: one pass, every problem, each in its place."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

from dirigent.lang.shape import check
from dirigent.lang.source import load
from dirigent.lang.stack.checks.reading import read_stack_checks
from dirigent.lang.stack.modules.borders import join_providers, read_borders
from dirigent.lang.stack.modules.finding import find_modules, refuse_sections
from dirigent.lang.stack.outside.offering import read_offers
from dirigent.lang.stack.outside.providers import declared_in, read_providers
from dirigent.lang.stack.outside.sinks import read_sinks
from dirigent.lang.stack.policy.probes import read_probes
from dirigent.lang.stack.policy.reading import (
    read_apply,
    read_doubt,
    read_hosts,
    read_network,
    read_retention,
)
from dirigent.lang.stack.queues import check_queues, read_queues
from dirigent.lang.stack.reading import Link, Reading, StackContext, keys_of, section, text_of
from dirigent.lang.stack.resources import read_resources
from dirigent.lang.stack.rows.reading import read_imports, read_moves, read_releases
from dirigent.lang.stack.schedules import read_schedules
from dirigent.lang.stack.sections import read_inputs, read_outputs, read_secrets
from dirigent.lang.stack.shapes import DEFINITIONS, stack_shape
from dirigent.lang.stack.workflows import read_workflows
from dirigent.lang.tree import Members, Node
from dirigent.model.problem import Problem, ordered
from dirigent.model.stack import ProviderSetup, Stack

# A provider says so of its types; a stack may use them a thousand times.
DEPRECATED: Final = "W1427"


def read_stack(
    text: str, file: str, folder: str, context: StackContext
) -> tuple[Stack | None, list[Problem]]:
    """Return the stack and every problem of the text, in order of place.

    There is no stack when any problem is an error; warnings come with one. `file` is the name shown
    in problems, `folder` the directory that paths in the file start from.
    """
    root, problems = load(text, file)
    if root is None:
        return None, list(ordered(problems))
    if not context.chain:
        context = context.within(Link(str(PurePosixPath(folder) / PurePosixPath(file).name), file))
    reading = Reading(file, folder, text, context, lines=text.removeprefix("\ufeff").splitlines())
    reading.sources[file] = text
    provided = read_offers(reading, section(root, "providers"))
    check(root, stack_shape(context.types, provided), reading.problems, definitions=DEFINITIONS)
    if len(context.chain) > 1 and isinstance(root, Members):
        refuse_sections(reading, root)
    stack = _assemble(reading, root)
    # What is wrong with the form of a text would only be said again in other words.
    reported = {problem.at for problem in problems}
    problems += [problem for problem in reading.problems if problem.at not in reported]
    broken = any(problem.severity == "error" for problem in problems)
    return (None if broken else stack), _said_once(list(ordered(problems)))


def _said_once(problems: list[Problem]) -> list[Problem]:
    """Return the problems, with each word on what is deprecated once, however often it is used."""
    times = Counter(problem.message for problem in problems if problem.code == DEPRECATED)
    said: dict[str, None] = {}
    found: list[Problem] = []
    for problem in problems:
        if problem.code == DEPRECATED and times[problem.message] > 1:
            if problem.message in said:
                continue
            said[problem.message] = None
            more = times[problem.message] - 1
            words = f"and so it is at {more} more place{'s' if more > 1 else ''}"
            found.append(replace(problem, help=(*problem.help, words)))
        else:
            found.append(problem)
    return found


def declared_providers(text: str, file: str) -> dict[str, ProviderSetup]:
    """Return the providers that a text declares, as far as it can be read."""
    root, _ = load(text, file)
    return declared_in(section(root, "providers")) if root is not None else {}


def _assemble(reading: Reading, root: Node) -> Stack:
    inputs = section(root, "inputs")
    secrets = section(root, "secrets")
    resources = section(root, "resources")
    reading.inputs = keys_of(inputs)
    reading.secrets = keys_of(secrets)
    reading.resources = keys_of(resources)
    reading.providers = keys_of(section(root, "providers"))
    top = root if isinstance(root, Members) else None
    reading.modules = find_modules(reading, resources, read_stack)
    queues = read_queues(reading, section(root, "queues"))
    workflows = read_workflows(reading, section(root, "workflows"))
    declared = read_resources(reading, resources)
    modules = read_borders(reading, resources, declared)
    providers = read_providers(reading, section(root, "providers"))
    stack = Stack(
        name=(text_of(top.get("stack")) if top is not None else None) or "",
        folder=reading.folder,
        description=(text_of(top.get("description")) if top is not None else None) or "",
        inputs=read_inputs(reading, inputs),
        secrets=read_secrets(secrets),
        resources=declared,
        workflows=workflows,
        schedules=read_schedules(reading, section(root, "schedules"), workflows),
        outputs=read_outputs(reading, section(root, "outputs")),
        checks=read_stack_checks(reading, section(root, "checks")),
        hosts=read_hosts(section(root, "policy")),
        network=read_network(reading, section(root, "policy")),
        doubt=read_doubt(section(root, "policy")),
        retention=read_retention(section(root, "policy")),
        apply=read_apply(section(root, "policy")),
        probes=read_probes(reading, section(root, "policy")),
        queues=queues,
        sinks=read_sinks(reading, section(root, "events")),
        providers=join_providers(reading, resources, modules, providers),
        modules=modules,
        sources=reading.sources,
        moved=read_moves(reading, top.get("moved") if top is not None else None),
        released=read_releases(reading, top.get("forget") if top is not None else None),
        imports=read_imports(reading, top.get("import") if top is not None else None),
    )
    check_queues(reading, queues, stack.workflows)
    return stack
