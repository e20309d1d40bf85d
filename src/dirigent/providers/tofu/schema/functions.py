"""What a provider says of its functions: parameters by name, and what comes of a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from google.protobuf.message import Message

from dirigent.model.record import dataclass
from dirigent.model.values import Unknown, Value, has_unknown
from dirigent.providers.tofu.schema.shape import Attribute, Block
from dirigent.providers.tofu.values.conversion import converted
from dirigent.providers.tofu.values.paths import Misfit
from dirigent.providers.tofu.values.types import Collection, Kind, Type, read_type


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: whether it may be null, and whether the function takes what is not known yet."""

    name: str
    type: Type
    nullable: bool = False
    takes_unknown: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Function:
    """One function. `variadic` is the parameter of all arguments behind those of `parameters`."""

    returns: Type
    parameters: tuple[Parameter, ...] = ()
    variadic: Parameter | None = None
    description: str = ""
    deprecated: str = ""

    @property
    def every(self) -> tuple[Parameter, ...]:
        """Return all parameters, the variadic one last."""
        return self.parameters if self.variadic is None else (*self.parameters, self.variadic)


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a call in their order, each with its parameter; `odd` is what does not fit."""

    values: tuple[Value, ...]
    types: tuple[Type, ...]
    names: tuple[str, ...]
    odd: tuple[Misfit, ...] = field(default_factory=tuple)


def read_functions(functions: Mapping[str, Message]) -> dict[str, Function]:
    """Return the functions of an answer. Raises `NoType`."""
    return {name: _function(functions[name]) for name in sorted(functions)}


def _function(message: Message) -> Function:
    return Function(
        read_type(getattr(message, "return").type),
        tuple(_parameter(each) for each in message.parameters),
        _parameter(message.variadic_parameter) if message.HasField("variadic_parameter") else None,
        str(message.description) or str(message.summary),
        str(message.deprecation_message),
    )


def _parameter(message: Message) -> Parameter:
    return Parameter(
        str(message.name),
        read_type(message.type),
        bool(message.allow_null_value),
        bool(message.allow_unknown_values),
        str(message.description),
    )


def parameters_of(function: Function) -> Block:
    """Return a block with the parameters as its attributes, and what comes of a call as a computed one."""
    found = {
        each.name: Attribute(
            each.name,
            each.type,
            required=not each.nullable,
            optional=each.nullable,
            description=each.description,
        )
        for each in function.parameters
    }
    rest = function.variadic
    if rest is not None:
        many = Collection(Kind.LIST, rest.type)
        found[rest.name] = Attribute(rest.name, many, optional=True, description=rest.description)
    found.setdefault("result", Attribute("result", function.returns, computed=True))
    return Block(found, {}, function.description, function.deprecated)


def arguments(function: Function, given: Mapping[str, Value]) -> Arguments:
    """Return what is given by the names of the parameters as the arguments of a call.

    The variadic parameter takes a list.
    """
    known = {each.name: each for each in function.every}
    odd = [Misfit((name,), f"is no parameter; {_offer(function)}") for name in given if name not in known]
    values: list[Value] = []
    names: list[str] = []
    types: list[Type] = []
    for parameter in function.every:
        value = given.get(parameter.name)
        pairs: list[tuple[tuple[str | int, ...], Value]] = [((parameter.name,), value)]
        if parameter is function.variadic:
            if value is not None and not isinstance(value, list):
                odd.append(Misfit((parameter.name,), "takes any number of arguments: give a list"))
            rest = value if isinstance(value, list) else []
            pairs = [((parameter.name, at), each) for at, each in enumerate(rest)]
        for path, each in pairs:
            if each is None and not parameter.nullable:
                odd.append(Misfit(path, "must be given, and not be null"))
                continue
            try:
                values.append(converted(each, parameter.type, path))
            except Misfit as misfit:
                odd.append(misfit)
            names.append(parameter.name if len(path) == 1 else f"{path[0]}[{path[1]}]")
            types.append(parameter.type)
    return Arguments(tuple(values), tuple(types), tuple(names), tuple(odd))


def takes(function: Function, given: Mapping[str, Value]) -> bool:
    """Return whether every argument that is not known yet goes to who takes such."""
    for parameter in function.every:
        value = given.get(parameter.name)
        # Of arguments whose very number is unknown there is no call.
        whole = parameter is function.variadic and isinstance(value, Unknown)
        if whole or (has_unknown(value) and not parameter.takes_unknown):
            return False
    return True


def _offer(function: Function) -> str:
    listed = ", ".join(f"`{each.name}`" for each in function.every)
    return f"there are {listed}" if listed else "there are none"
