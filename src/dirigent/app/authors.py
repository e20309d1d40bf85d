"""The workflows and steps that people wrote, found by the names that journals hold.

The only place that imports their modules. What fails there is told with the author's line.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Self, TypeAlias

from dirigent.app.planning import Parts
from dirigent.app.stacks import Surrounding
from dirigent.durable.failures import NotStorable
from dirigent.durable.naming import MAIN, main_name
from dirigent.durable.play import Misfit, fault_of
from dirigent.durable.steps import Step
from dirigent.durable.workflows import Workflow
from dirigent.model.problem import Refusal, refuse
from dirigent.model.program import Code, Program
from dirigent.model.record import dataclass
from dirigent.model.run.code import Site
from dirigent.model.source import Span
from dirigent.model.values import Value
from dirigent.ports import Performer, Play
from dirigent.tasks.python import Doing, PythonPerformer

Thing: TypeAlias = object


@dataclass(slots=True, eq=False)
class Authors:
    """What this process can import; `folders` are looked through before Python's own path."""

    folders: Sequence[str] = ()
    _found: dict[str, Thing] = field(default_factory=dict)

    def check(self, code: Code) -> None:
        """Raise `Refusal` (E4031) when there is no such workflow."""
        self._thing("E4031", "workflow", Workflow, f"{code.module}:{code.name}")

    def play(self, code: Code, given: Value, site: Site) -> Play:
        """Return a run of a workflow, before its first line. Raises `Refusal` (E4031)."""
        found = self._thing("E4031", "workflow", Workflow, f"{code.module}:{code.name}")
        if not isinstance(found, Workflow):
            raise TypeError(code.name)
        try:
            return found.play(given, site)
        except NotStorable as misfit:
            return Misfit(str(misfit))

    def program(self, reference: str) -> Program:
        """Return the program of a workflow by `module:name`, or raise `Refusal` (E4031)."""
        found = self._thing("E4031", "workflow", Workflow, reference)
        if not isinstance(found, Workflow):
            raise TypeError(reference)
        return found.program

    def check_input(self, reference: str, given: Value) -> None:
        """Raise `Refusal` (E4033) for an input that a workflow cannot take, before a run of it exists."""
        found = self._thing("E4031", "workflow", Workflow, reference)
        if not isinstance(found, Workflow):
            raise TypeError(reference)
        try:
            found.form.members(given, f"`{found.name}`")
        except NotStorable as misfit:
            raise refuse(
                "E4033", str(misfit), "give each parameter as a member of the input: `-i NAME=VALUE`"
            ) from None

    def step(self, reference: str) -> Doing:
        """Return a step by `module:name`, or raise `Refusal` (E4032)."""
        found = self._thing("E4032", "step", Step, reference)
        if not isinstance(found, Step):
            raise TypeError(reference)
        return found

    def _thing(self, code: str, kind: str, wanted: type[Thing], reference: str) -> Thing:
        known = self._found.get(reference)
        if known is None:
            module, _, name = reference.partition(":")
            known = self._module(code, kind, reference, module)
            for part in name.split("."):
                known = getattr(known, part, None)
            if not isinstance(known, wanted):
                raise refuse(
                    code,
                    f"there is no {kind} `{name}` in the module `{module}`",
                    f"write `@{kind}` over the function, at the top of its module",
                    "a function that was renamed is missed by the runs that know its former name",
                )
            self._found[reference] = known
        return known

    def _module(self, code: str, kind: str, reference: str, name: str) -> ModuleType:
        if name in {main_name(), MAIN}:
            return sys.modules[MAIN]
        for folder in self.folders:
            if folder not in sys.path:
                sys.path.insert(0, folder)
        with _Importing(code, kind, reference, name):
            return importlib.import_module(name)
        raise AssertionError(name)


def of_folder(folder: str) -> Authors:
    """Return what can be imported in a folder."""
    return Authors((folder,))


def python(around: Surrounding, _: Parts) -> Performer:
    """Build the performer of steps in Python."""
    folder = str(around.folder.absolute())
    return PythonPerformer(of_folder(folder).step, folder)


def of_file(folder: Path, file: str, name: str, given: Value) -> Program:
    """Return the program of a workflow in a Python file below a folder.

    Raises:
        Refusal: E7040 for a file that is not there or not below the folder, E4031 when it has no such
            workflow, E4033 when the input does not fit.
    """
    path, root = (folder / file).resolve(), folder.resolve()
    if not path.is_file() or not path.is_relative_to(root):
        what = "is not below the folder of the command" if path.is_file() else "is no file"
        raise refuse(
            "E7040",
            f"`{file}` {what}",
            "name the file from the folder of the stack, or name the folder with `-C DIR`: a run that goes on"
            " later finds its module there",
        )
    authors = Authors((str(root),))
    reference = f"{'.'.join(path.relative_to(root).with_suffix('').parts)}:{name}"
    authors.check_input(reference, {} if given is None else given)
    return authors.program(reference)


class _Importing:
    """The stretch in which an author's module is imported; every exception in it is a refusal."""

    def __init__(self, code: str, kind: str, reference: str, module: str) -> None:
        self._code = code
        self._what = f"the {kind} `{reference}`"
        self._module = module

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(failure, Exception) or isinstance(failure, Refusal):
            return
        found = fault_of(failure)
        if isinstance(failure, SyntaxError):
            raise refuse(
                self._code,
                f"{self._what} cannot be found: `{self._module}` is no Python: {failure.msg}",
                "mend the line; `python -m py_compile FILE` says the same",
                at=_place_of(failure),
            ) from failure
        raise refuse(
            self._code,
            f"{self._what} cannot be found: importing `{self._module}` gives {found.title}: {found.detail}",
            "start Dirigent in the folder of that module, or put its folder into `PYTHONPATH`",
            at=found.span if not isinstance(failure, ImportError) else None,
        ) from failure


def _place_of(failure: SyntaxError) -> Span | None:
    if failure.filename is None or failure.lineno is None:
        return None
    path, column = Path(failure.filename), max(1, failure.offset or 1)
    name = str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else failure.filename
    return Span(name, failure.lineno, column, failure.lineno, column + 1)
