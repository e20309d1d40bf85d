"""Trees become closures. One result stays one result: only what may have several becomes a stream."""

from __future__ import annotations

from typing import assert_never

from dirigent.jq.evaluation import constructing, control, operators, stepping
from dirigent.jq.evaluation.code import Code, One, Run, paired
from dirigent.jq.evaluation.frame import Frame
from dirigent.jq.functions import called, formatted
from dirigent.jq.grammar import syntax
from dirigent.model.values import Value
from dirigent.ports import ExpressionFailed


def code_of(node: syntax.Node) -> Code:
    """Return the code of a tree. Depth is bounded by the parser."""
    match node:
        case syntax.Identity():
            code: Code = One(stepping.identity)
        case syntax.Literal(value):
            code = One(_constant(value))
        case syntax.Variable(name):
            code = One(stepping.variable(name))
        case syntax.Path(origin, steps):
            code = stepping.stepped(code_of(origin), [_step(step) for step in steps])
        case syntax.Call(name, arguments):
            code = called(name, tuple(code_of(argument) for argument in arguments))
        case syntax.Text() | syntax.Collect() | syntax.Make() | syntax.Format():
            code = _construction(node)
        case syntax.Comma() | syntax.Pipe() | syntax.If() | syntax.Bind() | syntax.Attempt():
            code = _control(node)
        case syntax.Foreign():
            raise ExpressionFailed("only the worker can evaluate this expression")
        case _:
            code = _calculation(node)
    return code


def _calculation(node: syntax.Calculation) -> Code:
    match node:
        case syntax.Negate(body):
            code = operators.negated(code_of(body))
        case syntax.Chain(first, rest):
            code = operators.chained(code_of(first), [(sign, code_of(other)) for sign, other in rest])
        case syntax.Compare(sign, left, right):
            code = paired(operators.COMPARISONS[sign], code_of(left), code_of(right))
        case syntax.Logic(sign, parts):
            code = operators.logical(sign, [code_of(part) for part in parts])
        case syntax.Alternative(parts):
            code = operators.alternatives([code_of(part) for part in parts])
        case _:
            assert_never(node)
    return code


def _control(node: syntax.Control) -> Code:
    match node:
        case syntax.Comma(parts):
            code = control.sequenced([code_of(part) for part in parts])
        case syntax.Pipe(parts):
            code = control.piped([code_of(part) for part in parts])
        case syntax.If(branches, otherwise):
            pairs = [(code_of(condition), code_of(body)) for condition, body in branches]
            code = control.conditional(pairs, code_of(otherwise) if otherwise else None)
        case syntax.Bind(source, name, body):
            code = control.bound(code_of(source), name, code_of(body))
        case syntax.Attempt(body, rescue):
            code = control.attempted(code_of(body), code_of(rescue) if rescue else None)
        case _:
            assert_never(node)
    return code


def _construction(node: syntax.Construction) -> Code:
    match node:
        case syntax.Text(shape, parts):
            pieces = [part if isinstance(part, str) else code_of(part) for part in parts]
            code = constructing.interpolated(pieces, formatted(shape))
        case syntax.Collect(body):
            code = _collection(body)
        case syntax.Make(entries):
            names = [key.value if isinstance(key, syntax.Literal) else None for key, _ in entries]
            pairs = [(code_of(key), code_of(value)) for key, value in entries]
            code = constructing.built(pairs, [name if isinstance(name, str) else None for name in names])
        case syntax.Format(name):
            code = One(formatted(name))
        case _:
            assert_never(node)
    return code


def _collection(body: syntax.Node | None) -> Code:
    """An array of single results is built directly, without a stream."""
    if body is None:
        return constructing.listed(())
    if not isinstance(body, syntax.Comma):
        return constructing.collected(code_of(body))
    codes = [code_of(part) for part in body.parts]
    runs = tuple(code.run for code in codes if isinstance(code, One))
    if len(runs) == len(codes):
        return constructing.listed(runs)
    return constructing.collected(control.sequenced(codes))


def _step(step: syntax.Step) -> stepping.StepCode:
    match step:
        case syntax.Member(name, optional):
            return stepping.MemberCode(name, optional)
        case syntax.At(key, optional):
            return stepping.AtCode(code_of(key), optional)
        case syntax.Part(start, end, optional):
            first, last = (code_of(bound) if bound else One(_constant(None)) for bound in (start, end))
            return stepping.AtCode(stepping.slice_key(first, last), optional)
        case syntax.Each(optional):
            return stepping.EachCode(optional)
        case _:
            assert_never(step)


def _constant(value: Value) -> Run:
    def run(dot: Value, frame: Frame) -> Value:
        del dot, frame
        return value

    return run
