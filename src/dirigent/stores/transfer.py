"""A run as a file that stands for itself: its definition and every fact, to be looked at elsewhere.

One JSON document. What a reader may trust are the `content`s, in the store's own encoding, under one
`checksum`; the names and times beside them are for people. Secrets are references, as in the store.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Final, cast

from dirigent.model.ids import Digest, RunId, digest_of
from dirigent.model.problem import Refusal, refuse
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Created, Ended, Fact
from dirigent.stores import codec

VERSION: Final = 1
KIND: Final = "dirigent-run"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A run on its way from one store to another."""

    run: RunId
    program: Program
    facts: Sequence[Fact]

    @property
    def open(self) -> bool:
        """Return whether the run has not ended."""
        return not isinstance(self.facts[-1], Ended)


def written(transfer: Transfer, release: str) -> str:
    """Return the file of a run. `release` is the one that writes it."""
    program = transfer.program
    definition = codec.encode(program)
    facts = [codec.encode_fact(fact) for fact in transfer.facts]
    return json.dumps(
        {
            "kind": KIND,
            "version": VERSION,
            "release": release,
            "run": transfer.run,
            "checksum": _checksum(transfer.run, definition, facts),
            "definition": {
                "name": program.name,
                "namespace": program.namespace,
                "version": program.version,
                "digest": digest_of(definition),
                "content": b64encode(definition).decode(),
            },
            "facts": [
                {
                    "n": number,
                    "fact": type(fact).__name__,
                    "at": fact.at,
                    **({"position": position} if (position := getattr(fact, "position", None)) else {}),
                    "content": b64encode(content).decode(),
                }
                for number, (fact, content) in enumerate(zip(transfer.facts, facts, strict=True), 1)
            ],
        },
        ensure_ascii=False,
        indent=1,
    )


def read(text: str, file: str) -> Transfer:
    """Return the run of a file. Raises `Refusal`: E5030 of another kind, E5031 damaged, E5032 newer."""
    try:
        found = cast("object", json.loads(text))
    except (ValueError, RecursionError):
        raise _foreign(file) from None
    if not isinstance(found, dict) or found.get("kind") != KIND:
        raise _foreign(file)
    version = found.get("version")
    if version != VERSION:
        raise refuse(
            "E5032", f"`{file}` has version `{version}`, which this release does not know", "upgrade Dirigent"
        )
    try:
        definition = b64decode(found["definition"]["content"], validate=True)
        facts = [b64decode(fact["content"], validate=True) for fact in found["facts"]]
        run, checksum = RunId(str(found["run"])), found["checksum"]
    except (KeyError, TypeError, ValueError):
        raise _damaged(file) from None
    if not facts or checksum != _checksum(run, definition, facts):
        raise _damaged(file)
    program, journal = codec.decode(definition, Program), [codec.decode_fact(fact) for fact in facts]
    if not isinstance(journal[0], Created) or journal[0].definition != digest_of(definition):
        raise _damaged(file)
    return Transfer(run, program, journal)


def _checksum(run: RunId, definition: bytes, facts: Sequence[bytes]) -> Digest:
    """Return a checksum over every byte that is trusted, and where each part ends."""
    parts = [run.encode(), definition, *facts]
    lengths = json.dumps([len(part) for part in parts]).encode()
    return digest_of(b"".join([lengths, *parts]))


def _foreign(file: str) -> Refusal:
    return refuse(
        "E5030",
        f"`{file}` is no exported run",
        "make one with `dirigent show RUN --export FILE`",
    )


def _damaged(file: str) -> Refusal:
    return refuse(
        "E5031",
        f"`{file}` is damaged: what it holds does not fit its checksum",
        "export the run again, and do not edit the file: `dirigent events` shows it after the import",
    )
