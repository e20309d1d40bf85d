"""Trees become closures. One result stays one result: only what may have several becomes a stream."""

from __future__ import annotations

from typing import assert_never

from dirigent.lang.jq.evaluation import constructing, operators, stepping
from dirigent.lang.jq.evaluation.code import Code, One, Run, paired
from dirigent.lang.jq.evaluation.frame import Frame
from dirigent.lang.jq.functions import called, formatted
from dirigent.lang.jq.grammar import syntax
from dirigent.model.values import Value
from dirigent.ports import ExpressionFailed


def code_of(node: syntax.Node) -> Code:
    """Return the code of a tree. Depth is bounded by the parser."""
    match node:
        case syntax.Identity():
            return One(stepping.identity)
        case syntax.Literal(value):
            return One(_constant(value))
        case syntax.Variable(name):
            return One(stepping.variable(name))
        case syntax.Path(origin, steps):
            return _path(code_of(origin), steps)
        case syntax.Text() | syntax.Collect() | syntax.Make() | syntax.Format():
            return _construction(node)
        case syntax.Call(name, arguments):
            return called(name, tuple(code_of(argument) for argument in arguments))
        case syntax.Foreign():
            raise ExpressionFailed("only the worker can evaluate this expression")
        case _:
            return _operator(node)


def _operator(node: syntax.Operator) -> Code:
    match node:
        case syntax.Negate(body):
            return operators.negated(code_of(body))
        case syntax.Chain(first, rest):
            return operators.chained(code_of(first), [(sign, code_of(other)) for sign, other in rest])
        case syntax.Compare(sign, left, right):
            return paired(operators.COMPARISONS[sign], code_of(left), code_of(right))
        case syntax.Logic(sign, parts):
            return operators.logical(sign, [code_of(part) for part in parts])
        case syntax.Alternative(parts):
            return operators.alternatives([code_of(part) for part in parts])
        case syntax.Comma(parts):
            return operators.sequenced([code_of(part) for part in parts])
        case syntax.Pipe(parts):
            return operators.piped([code_of(part) for part in parts])
        case syntax.If(branches, otherwise):
            pairs = [(code_of(condition), code_of(body)) for condition, body in branches]
            return operators.conditional(pairs, code_of(otherwise) if otherwise else None)
        case syntax.Bind(source, name, body):
            return operators.bound(code_of(source), name, code_of(body))
        case syntax.Attempt(body, rescue):
            return operators.attempted(code_of(body), code_of(rescue) if rescue else None)
        case _:
            assert_never(node)


def _construction(node: syntax.Construction) -> Code:
    match node:
        case syntax.Text(shape, parts):
            pieces = [part if isinstance(part, str) else code_of(part) for part in parts]
            return constructing.interpolated(pieces, formatted(shape))
        case syntax.Collect(None):
            return constructing.listed(())
        case syntax.Collect(syntax.Comma(parts)):
            codes = [code_of(part) for part in parts]
            runs = tuple(code.run for code in codes if isinstance(code, One))
            if len(runs) == len(codes):
                return constructing.listed(runs)
            return constructing.collected(operators.sequenced(codes))
        case syntax.Collect(body):
            return constructing.collected(code_of(body))
        case syntax.Make(entries):
            names = [key.value if isinstance(key, syntax.Literal) else None for key, _ in entries]
            codes = [(code_of(key), code_of(value)) for key, value in entries]
            return constructing.built(codes, [name if isinstance(name, str) else None for name in names])
        case syntax.Format(name):
            shape_of = formatted(name)
            return One(lambda dot, frame: shape_of(dot, frame))
        case _:
            assert_never(node)


def _path(origin: Code, steps: tuple[syntax.Step, ...]) -> Code:
    code = origin
    names: list[str] = []
    for step in steps:
        if isinstance(step, syntax.Member) and not step.optional:
            names.append(step.name)
            continue
        if names:
            code, names = stepping.members(code, tuple(names)), []
        code = stepping.step(code, _step(step))
    return stepping.members(code, tuple(names)) if names else code


def _step(step: syntax.Step) -> stepping.StepCode:
    match step:
        case syntax.Member(name):
            return stepping.MemberCode(name)
        case syntax.At(key, optional):
            return stepping.AtCode(code_of(key), optional)
        case syntax.Part(start, end, optional):
            bounds = [code_of(bound) if bound else One(_constant(None)) for bound in (start, end)]
            return stepping.PartCode(bounds[0], bounds[1], optional)
        case syntax.Each(optional):
            return stepping.EachCode(optional)
        case _:
            assert_never(step)


def _constant(value: Value) -> Run:
    def run(dot: Value, frame: Frame) -> Value:
        del dot, frame
        return value

    return run
