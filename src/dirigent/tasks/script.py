"""Scripts as effects: a program text in Python or JavaScript, run from a file of its own.

The text is a file of mode 0600 in the spool folder of the attempt; it holds no secrets.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

from dirigent.model import fault, limits
from dirigent.model.fault import Fault
from dirigent.model.run.effect import Broken, Order, Outcome
from dirigent.model.values import Value
from dirigent.ports import Vault
from dirigent.shim import attach, files
from dirigent.tasks.process import Surroundings, supervise
from dirigent.tasks.recipe import Program, Script, Unfit, kind_of, plain_text, read_request

LANGUAGES: Final = ("python", "js")
# Node tells a module from a classic script by the name of its file.
FETCHED: Final = "fetched.json"
MODULE: Final = re.compile(r"^\s*(import|export)\b", re.MULTILINE)


class Remote(Protocol):
    """Reads texts that are not on this machine."""

    async def text(self, order: Order, url: str, authentication: Value) -> str | Fault:
        """Return the text at a URL, or the fault that the task ends with."""
        ...


class ScriptPerformer:
    """Carries out `script`: `language`, then `code` or `source`; the rest is as for `shell`."""

    def __init__(
        self,
        surroundings: Surroundings,
        vault: Vault,
        python: str = sys.executable,
        remote: Callable[[], Remote] | None = None,
    ) -> None:
        """Run below these surroundings; `python` is the interpreter, `remote` reads sources with a URL."""
        self._surroundings = surroundings
        self._vault = vault
        self._python = python
        self._remote = remote

    async def perform(self, order: Order) -> Outcome:
        """Run the script, or find the run of it that was begun before."""
        program_of = partial(script_program, self._surroundings, self._python)
        request = await self._with_code(order)
        if isinstance(request, Fault):
            return Broken(request)
        try:
            recipe = read_request(request, self._vault, program_of)
        except Unfit as reason:
            return Broken(Fault(fault.CONFIGURATION, 400, "The script cannot be run", str(reason)))
        return await supervise(self._surroundings, self._vault, order, recipe)

    async def _with_code(self, order: Order) -> Value | Fault:
        """Return the request with the code of a source that has a URL, or the fault of fetching it.

        What was fetched is kept in the spool: after a crash it is this text that runs, whatever is there now.
        """
        request = order.request
        source = request.get("source") if isinstance(request, dict) else None
        url = source.get("endpoint") if isinstance(source, dict) else None
        if not isinstance(request, dict) or not isinstance(source, dict) or not isinstance(url, str):
            return request
        if self._remote is None or urlsplit(url).scheme not in ("http", "https"):
            return request
        spool = self._surroundings.spool_of(order)
        kept = files.read_record(str(Path(spool, FETCHED)))
        if kept is None or not order.doubtful:
            found = await self._remote().text(order, url, source.get("authentication"))
            if isinstance(found, Fault):
                return found
            kept = {"code": found}
            if attach.state(spool) is attach.State.ABSENT:
                await asyncio.to_thread(_keep, spool, kept)
        return {**request, "code": str(kept["code"])}

    async def abandon(self, order: Order) -> None:
        """Stop the whole process group: TERM, then KILL after the grace."""
        await attach.stop(self._surroundings.spool_of(order), self._surroundings.grace_seconds)


def _keep(spool: str, record: dict[str, object]) -> None:
    files.make_folder(spool)
    files.write_durably(str(Path(spool, FETCHED)), files.encode(record))


def script_program(
    around: Surroundings, python: str, request: dict[str, Value], _arguments: list[str]
) -> Program:
    """Return the interpreter and the script, or raise `Unfit`."""
    language = request.get("language")
    code = request.get("code")
    text = plain_text("code", code) if code is not None else _source(around.folder, request.get("source"))
    match language:
        case "python":
            return (python, "-I"), Script("script.py", text)
        case "js":
            return (_node(around),), Script("script.mjs" if MODULE.search(text) else "script.cjs", text)
        case _:
            known = " or ".join(f"`{name}`" for name in LANGUAGES)
            raise Unfit(f"`language` must be {known}, and is {kind_of(language)}")


def _node(around: Surroundings) -> str:
    node = shutil.which("node", path=around.environment.get("PATH"))
    if node is None:
        raise Unfit("JavaScript needs `node`, which is not on the PATH: install Node.js 20 or later")
    return node


def _source(folder: str, source: Value) -> str:
    """Return the text of a script that lies in a local file, relative to the stack's folder."""
    endpoint = source.get("endpoint") if isinstance(source, dict) else source
    uri = endpoint.get("uri") if isinstance(endpoint, dict) else endpoint
    if not isinstance(uri, str):
        raise Unfit("one of `code` and `source` must be given")
    parts = urlsplit(uri)
    if parts.scheme not in ("", "file") or parts.netloc not in ("", "localhost"):
        raise Unfit(f"`{uri}` is not a local file, nor a URL that can be fetched")
    path = Path(folder, unquote(parts.path))
    try:
        content = path.read_bytes()
    except OSError as reason:
        raise Unfit(f"`{uri}` cannot be read: {reason.strerror}") from reason
    if len(content) > limits.DOCUMENT_BYTES:
        raise Unfit(f"`{uri}` has {len(content)} bytes; the limit is {limits.DOCUMENT_BYTES}")
    try:
        return content.decode()
    except UnicodeDecodeError as reason:
        raise Unfit(f"`{uri}` is not UTF-8 text") from reason
