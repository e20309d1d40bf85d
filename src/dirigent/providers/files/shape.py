"""What a stack file may say about a `file` and a `directory`, for `check` and for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dirigent.lang.shape import ByKind, Field, Flag, Record, Text, Whole
from dirigent.lang.stack import TypeShape
from dirigent.providers.files.wish import DIRECTORY, FILE

_PATH: Final = Field(
    Text(min_length=1, what="a path"),
    required=True,
    description="where it stands: from the stack's folder, or absolute; another path means another file",
)
_OWNER: Final = ByKind(text=Text(min_length=1, what="a name"), number=Whole(min=0))
_MODE: Final = Text("[0-7]{3,4}", what='a mode as text of three or four octal digits, as `"0644"`')


def _record(kind: str, *, mode: str, more: Mapping[str, Field]) -> Record:
    return Record(
        {
            "path": _PATH,
            **more,
            "mode": Field(_MODE, description=mode),
            "owner": Field(_OWNER, description="user name or number; left as it is if not given"),
            "group": Field(_OWNER, description="group name or number; left as it is if not given"),
        },
        title=f"`with` of a {kind}",
    )


TYPES: Final[Mapping[str, TypeShape]] = {
    FILE: TypeShape(
        inside=_record(
            FILE,
            mode='permissions; `"0644"` if not given, `"0600"` if the content holds a secret',
            more={
                "content": Field(Text(), required=True, description="the whole text of the file"),
                "adopt": Field(Flag(), description="replace a file that is there already"),
            },
        ),
        description="a file on this machine, written whole or not at all",
    ),
    DIRECTORY: TypeShape(
        inside=_record(
            DIRECTORY,
            mode='permissions; `"0755"` if not given and it is made, else as they are',
            more={},
        ),
        description="a directory on this machine, deleted only if Dirigent made it and it is empty",
    ),
}
