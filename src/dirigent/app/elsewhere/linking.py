"""What a program needs from elsewhere is read when a run starts, and is part of its definition from then on.

A file is read below the folder of the stack, a function of the default catalog from the package, and all else
through the performer of `http`, which guards where a run may go.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import unquote

from dirigent.core.render import Asking, RenderFailed, render
from dirigent.jq import LANGUAGE
from dirigent.lang.workflow.linking import linked, sources_of
from dirigent.model import limits
from dirigent.model.ids import EffectId, Position
from dirigent.model.problem import Refusal, refuse
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.effect import Broken, Done, Order
from dirigent.model.run.start import Start
from dirigent.model.values import SecretRef, SecretText, Template, Value
from dirigent.ports import Language, Performer

Read: TypeAlias = Callable[[str], bytes]

# The layout of a catalog is that of the standard: functions/NAME/VERSION/function.yaml.
_OURS: Final = "catalog:default/"
_WEB: Final = ("http://", "https://")
# Documents that one run may be made of: a function may call another that is elsewhere again.
DOCUMENTS: Final = 64


@dataclass(frozen=True, slots=True)
class Linker:
    """Puts functions and schemas that lie elsewhere in their places.

    `read` reads a file of the stack, or one of the default catalog, by its URI; it raises `OSError`.
    """

    language: Language
    read: Read

    async def program(
        self, start: Start, performers: Mapping[str, Performer], known: Mapping[str, str]
    ) -> Program:
        """Return the program of a start, whole. `known` are texts that the run was made of already.

        Raises `Refusal`: E2045 for what cannot be read, and the problems of what was read.
        """
        program, texts = start.program, dict(known)
        for _ in range(limits.RUN_DEPTH):
            for uri, policy in sources_of(program).items():
                if uri not in texts:
                    texts[uri] = await self._text(start, performers, uri, policy)
                if len(texts) > DOCUMENTS + len(known):
                    raise refuse(
                        "E2046", f"more than {DOCUMENTS} functions and schemas lie elsewhere", _FEWER
                    )
            program = linked(program, texts, self.language)
            if not program.elsewhere:
                return program
        raise refuse(
            "E2046", f"functions that lie elsewhere call others more than {limits.RUN_DEPTH} deep", _FEWER
        )

    async def _text(
        self, start: Start, performers: Mapping[str, Performer], uri: str, policy: Template
    ) -> str:
        try:
            if uri.startswith(_WEB):
                content = await _fetched(self._order(start, uri, policy), performers)
            else:
                content = self.read(uri)
            if len(content) > limits.DOCUMENT_BYTES:
                raise _unread(uri, f"it has more than {limits.DOCUMENT_BYTES} bytes")
            return content.decode()
        except OSError as error:
            raise _unread(uri, (error.strerror or str(error)).lower()) from None
        except UnicodeDecodeError:
            raise _unread(uri, "it is not UTF-8 text") from None

    def _order(self, start: Start, uri: str, policy: Template) -> Order:
        secrets: Value = {name: SecretText((SecretRef(name),)) for name in start.program.secrets}
        try:
            found = render(policy, None, {"secrets": secrets, "secret": secrets}, self.language)
        except (RenderFailed, KeyError):
            found = Asking(())
        if isinstance(found, Asking):
            raise _unread(uri, "its authentication may only name secrets: nothing runs yet")
        request: Value = {
            "method": "GET",
            "endpoint": uri,
            "headers": {},
            "query": {},
            "body": None,
            "has_body": False,
            "output": "raw",
            "redirect": False,
            "authentication": found,
        }
        hosts = start.metadata.get("hosts")
        named = [each for each in hosts if isinstance(each, str)] if isinstance(hosts, list) else []
        place = Position("")
        return Order(
            *(start.id, place, 1, EffectId(f"{start.id}:elsewhere"), "http", request),
            hosts=(*start.program.hosts, *named),
        )


def linker(folder: Path) -> Linker:
    """Return what reads files below a folder, the default catalog, and the network."""

    def read(uri: str) -> bytes:
        if uri.startswith(_OURS):
            return _below(Path(str(files("dirigent"))) / "catalog", uri.removeprefix(_OURS))
        return _below(folder, unquote(uri.removeprefix("file:").removeprefix("//")))

    return Linker(LANGUAGE, read)


def _below(folder: Path, name: str) -> bytes:
    root = folder.resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise PermissionError(0, "the file lies outside the folder of the stack")
    return path.read_bytes()


async def _fetched(order: Order, performers: Mapping[str, Performer]) -> bytes:
    uri = str(order.request["endpoint"]) if isinstance(order.request, dict) else ""
    outcome = await performers["http"].perform(order)
    match outcome:
        case Done(str(text)):
            try:
                return b64decode(text, validate=True)
            except Error:
                raise _unread(uri, "the answer is not one of bytes") from None
        case Broken(fault):
            raise _unread(uri, fault.detail or fault.title)
        case _:
            raise _unread(uri, "the answer has no content")


def _unread(uri: str, why: str) -> Refusal:
    return refuse(
        "E2045",
        f"`{uri}`, which the workflow needs, cannot be read: {why}",
        "a run begins when everything that it is made of is at hand; start it again",
    )


_FEWER: Final = "put them into the document, under `use.functions`"
