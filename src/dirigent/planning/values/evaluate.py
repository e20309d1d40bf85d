"""Templates become values. What hangs on an attribute that is not known yet stays an expression.

The language itself carries `Unknown` through what it evaluates in place. The worker cannot: before it
is asked, each mention of `$resources` or `$inputs` is followed as far as its path is literal, and if anything
unknown lies there, the expression waits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

from dirigent.model import limits
from dirigent.model.fault import Fault
from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.run.command import Question
from dirigent.model.values import Expression, Template, Unknown, UriTemplate, Value, has_unknown, leaves
from dirigent.planning.request import Ask, Asking
from dirigent.ports import Compiled, ExpressionFailed, Language
from dirigent.ports.resources import Proposal, Reading

_MENTION: Final = re.compile(r"\$(resources|inputs)(?![A-Za-z0-9_:])")
_STEP: Final = re.compile(
    r"""\s*(?:\.([A-Za-z_][A-Za-z0-9_]*)        # .name
          | \.?\[\s*(-?[0-9]+)\s*\]             # [0]
          | \.?\[\s*"([^"\\]*)"\s*\]            # ["name"]
          | \."([^"\\]*)")                      # ."name"
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Rendered:
    """`value` holds `Unknown` where `template` keeps the expression; otherwise they are the same."""

    value: Value
    template: Template


class Scope:
    """The variables of one stack's expressions. Resources become visible while the plan is made.

    In a module, which lies at `module`, inputs do so too.
    """

    def __init__(self, constants: Mapping[str, Value], module: str = "") -> None:
        """Begin with what is known from the start (`inputs`, `secrets`, `stack`), and no resource."""
        inputs = constants.get("inputs")
        self._module = module
        self._values: dict[str, dict[str, Value]] = {
            "resources": {},
            "inputs": dict(inputs) if isinstance(inputs, dict) else {},
        }
        self._known = {variable: dict(members) for variable, members in self._values.items()}
        # What is not wholly known, each with the names of the resources that it waits for.
        self._partial: dict[tuple[str, str], tuple[str, ...]] = {}
        self.variables: dict[str, Value] = {**constants, **_shown(self._values, constants)}
        # The same for the worker, with null where `missing` has made sure that nobody looks.
        self.known: dict[str, Value] = {**constants, **_shown(self._known, constants)}

    def show(self, name: str, attributes: Value) -> None:
        """Make a resource visible; its attributes may hold `Unknown`."""
        self._put("resources", name, attributes)

    def give(self, name: str, value: Value) -> None:
        """Make an input visible; its value may hold `Unknown`."""
        self._put("inputs", name, value)

    def _put(self, variable: str, name: str, value: Value) -> None:
        self._values[variable][name] = value
        self._known[variable][name] = value
        self._partial.pop((variable, name), None)
        if has_unknown(value):
            full = f"{self._module}/{name}" if self._module else name
            self._partial[variable, name] = (full,) if variable == "resources" else needs_of(value)
            self._known[variable][name] = without_unknown(value)

    def missing(self, expression: Expression, compiled: Compiled) -> tuple[str, ...]:
        """Return the names of the resources whose unknown attributes an expression may see."""
        mentioned = sorted((variable, member) for variable, member in compiled.references if member)
        partial = [self._partial[each] for each in mentioned if each in self._partial]
        if not partial or not any(has_unknown(value) for value in self._seen(expression.text)):
            return ()
        return tuple(dict.fromkeys(name for names in partial for name in names))

    def _seen(self, text: str) -> Iterator[Value]:
        """Yield the subtree under each literal path that starts with `$resources` or `$inputs`."""
        for mention in _MENTION.finditer(text):
            value: Value = self._values[mention[1]]
            at = mention.end()
            while (step := _STEP.match(text, at)) is not None and not isinstance(value, Unknown):
                value = _member(value, step)
                at = step.end()
            yield value


def _shown(values: dict[str, dict[str, Value]], constants: Mapping[str, Value]) -> dict[str, Value]:
    """Return the variables of a scope; `$inputs` only where there is such a thing."""
    return {
        variable: members for variable, members in values.items() if variable in {"resources", *constants}
    }


def needs_of(value: Value) -> tuple[str, ...]:
    """Return the names of the resources that the unknown parts of a value wait for."""
    found: dict[str, None] = {}
    stack: list[Value] = [value]
    while stack:
        match stack.pop():
            case Unknown(needs=needs):
                found |= dict.fromkeys(needs)
            case list() as items:
                stack.extend(reversed(items))
            case dict() as members:
                stack.extend(reversed(members.values()))
            case _:
                pass
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Job:
    """A template to be evaluated in a scope, with variables of its own beside those of the scope."""

    template: Template
    scope: Scope
    own: Mapping[str, Value]


def render(
    templates: Sequence[tuple[Template, Mapping[str, Value]]], scope: Scope, language: Language
) -> Asking[list[Rendered]]:
    """Evaluate templates of one scope, each with variables of its own; see `render_all`."""
    return render_all([Job(template, scope, own) for template, own in templates], language)


def render_all(jobs: Sequence[Job], language: Language) -> Asking[list[Rendered]]:
    """Evaluate templates.

    Yields at most one `Ask`, for the expressions that the language cannot evaluate in place.

    Raises:
        Refusal: with every expression that has no value (E2004).
    """
    problems: list[Problem] = []
    outcomes: list[list[Value]] = []
    questions: list[tuple[int, int, Question]] = []
    for index, job in enumerate(jobs):
        results: list[Value] = []
        for leaf in leaves(job.template):
            outcome = _evaluate(leaf, job.own, job.scope, language, problems)
            if isinstance(outcome, Question):
                questions.append((index, len(results), outcome))
                results.append(None)
            else:
                results.append(outcome)
        outcomes.append(results)
    if questions and not problems:
        answers = yield Ask(tuple(question for *_, question in questions))
        for (index, place, question), answer in zip(questions, answers, strict=True):
            if isinstance(answer, Fault):
                problems.append(_no_value(question.expression, answer.detail or answer.title))
            elif not isinstance(answer, Proposal | Reading | Refusal):
                outcomes[index][place] = answer
    if problems:
        raise Refusal(problems)
    return [_rendered(job.template, results) for job, results in zip(jobs, outcomes, strict=True)]


def template_of(value: Value) -> Template:
    """Return a value as a template. Every value is one; only the invariance of lists hides it."""
    return cast("Template", value)


def without_unknown(value: Value, depth: int = 0) -> Value:
    """Return the value with null for every part that is not known. Depth is limited (E2010)."""
    refuse_depth(depth)
    match value:
        case Unknown():
            return None
        case list():
            return [without_unknown(item, depth + 1) for item in value]
        case dict():
            return {key: without_unknown(item, depth + 1) for key, item in value.items()}
        case _:
            return value


def refuse_depth(depth: int) -> None:
    """Raise `Refusal` (E2010) beyond the depth that a value may have."""
    if depth > limits.VALUE_DEPTH:
        raise refuse("E2010", f"a value is nested more than `{limits.VALUE_DEPTH}` levels deep")


def _evaluate(
    leaf: Expression | UriTemplate,
    own: Mapping[str, Value],
    scope: Scope,
    language: Language,
    problems: list[Problem],
) -> Value | Question:
    if isinstance(leaf, UriTemplate):
        return leaf.text
    try:
        compiled = language.compile(leaf.text)
        if compiled.local:
            result = compiled.evaluate(None, {**scope.variables, **own})
            if isinstance(result, Unknown):
                return Unknown(scope.missing(leaf, compiled) or result.needs)
            return result
    except ExpressionFailed as failure:
        problems.append(_no_value(leaf, str(failure)))
        return None
    needs = scope.missing(leaf, compiled)
    return Unknown(needs) if needs else Question(leaf, None, _only({**scope.known, **own}, compiled))


def _only(variables: Mapping[str, Value], compiled: Compiled) -> dict[str, Value]:
    """Return what an expression names, so that the worker is sent nothing else."""
    seen = {name: value for name, value in variables.items() if name in compiled.variables}
    resources = variables.get("resources")
    if "resources" in seen and isinstance(resources, dict):
        names = {member for variable, member in compiled.references if variable == "resources"}
        seen["resources"] = {name: value for name, value in resources.items() if name in names}
    return seen


def _no_value(expression: Expression, reason: str) -> Problem:
    return Problem("E2004", f"`{expression.text}` has no value here: {reason}", at=expression.span)


def _member(value: Value, step: re.Match[str]) -> Value:
    name = step[1] or step[3] or step[4]
    if isinstance(value, dict) and name is not None:
        return value.get(name)
    if isinstance(value, list) and step[2] is not None:
        index = int(step[2])
        return value[index] if -len(value) <= index < len(value) else None
    return None


def _rendered(template: Template, results: list[Value]) -> Rendered:
    if not results:
        # Without expressions a template is a value already.
        return Rendered(cast("Value", template), template)
    return _fill(template, iter(results), 0)


def _fill(template: Template, results: Iterator[Value], depth: int) -> Rendered:
    """Put the results into the template, in the order in which `leaves` gave the leaves."""
    refuse_depth(depth)
    match template:
        case Expression() | UriTemplate():
            value = next(results)
            return Rendered(value, template if has_unknown(value) else template_of(value))
        case list():
            items = [_fill(item, results, depth + 1) for item in template]
            return Rendered([item.value for item in items], [item.template for item in items])
        case dict():
            members = {key: _fill(item, results, depth + 1) for key, item in template.items()}
            return Rendered(
                {key: item.value for key, item in members.items()},
                {key: item.template for key, item in members.items()},
            )
        case _:
            return Rendered(template, template)
