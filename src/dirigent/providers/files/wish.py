"""The configuration of a `file` or a `directory`, checked. Every problem in one pass.

A provider knows no places in a text: a problem names its property as label, and planning finds it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

from dirigent.model import limits
from dirigent.model.problem import Problem, Refusal
from dirigent.model.record import dataclass
from dirigent.model.values import SecretText, Unknown, Value

FILE: Final = "file"
DIRECTORY: Final = "directory"

KEYS: Final = {
    FILE: ("path", "content", "mode", "owner", "group", "adopt"),
    DIRECTORY: ("path", "mode", "owner", "group"),
}

_MODE: Final = re.compile(r"[0-7]{3,4}")
_FILE_MODE: Final = 0o644
_SECRET_MODE: Final = 0o600
_DIRECTORY_MODE: Final = 0o755


@dataclass(frozen=True, slots=True)
class Wish:
    """What shall stand at `path` (absolute). `mode` None leaves a directory that exists as it is.

    `content` is the text before secrets are revealed; None for a directory.
    """

    type: str
    path: str
    content: str | SecretText | None
    mode: int | None
    owner: str | None = None
    group: str | None = None
    adopt: bool = False
    inside: bool = True

    @property
    def secret(self) -> bool:
        """Return whether the content may not be shown."""
        return isinstance(self.content, SecretText)

    @property
    def creation_mode(self) -> int:
        """Return the mode of what is made anew."""
        if self.mode is not None:
            return self.mode
        return _DIRECTORY_MODE if self.type == DIRECTORY else _SECRET_MODE if self.secret else _FILE_MODE


def wish_of(type_name: str, config: Mapping[str, Value], folder: str) -> Wish:
    """Return the checked configuration; `folder` is where relative paths start.

    Raises:
        Refusal: E3101 for the path, E3102 for the mode, E3103 for any other property.
    """
    problems: list[Problem] = []
    problems += [
        _wrong(
            "E3103",
            key,
            f"`{key}` is not a property of `{type_name}`",
            "known: " + ", ".join(KEYS[type_name]),
        )
        for key in config
        if key not in KEYS[type_name]
    ]
    path, inside = _path(config.get("path"), folder, problems)
    wish = Wish(
        type=type_name,
        path=path,
        content=_content(config, problems) if type_name == FILE else None,
        mode=_mode(config.get("mode"), problems),
        owner=_name(config, "owner", problems),
        group=_name(config, "group", problems),
        adopt=_flag(config, "adopt", problems),
        inside=inside,
    )
    if problems:
        raise Refusal(problems)
    return wish


def shown_mode(mode: int) -> str:
    """Return a mode as people write it: `0644`."""
    return f"{mode:04o}"


def _path(path: Value, folder: str, problems: list[Problem]) -> tuple[str, bool]:
    """Return the absolute path, and whether it was given relative to the folder."""
    if isinstance(path, Unknown):
        return "", True
    if not isinstance(path, str) or not path or "\x00" in path:
        problems.append(
            _wrong("E3101", "path", f"`{path}` is not a path", "give a text such as `build/shop.json`")
        )
        return "", True
    whole = os.path.normpath(os.path.join(folder, path))
    inside = not os.path.isabs(path)
    if inside and not whole.startswith(f"{folder.rstrip('/')}/"):
        hint = "write an absolute path if that is what you mean"
        problems.append(_wrong("E3101", "path", f"`{path}` leads out of the folder of the stack", hint))
    if whole == os.sep:
        problems.append(
            _wrong("E3101", "path", f"`{path}` is the root of the file system", "name a path below it")
        )
    return whole, inside


def _mode(mode: Value, problems: list[Problem]) -> int | None:
    if mode is None or isinstance(mode, Unknown):
        return None
    if isinstance(mode, str) and _MODE.fullmatch(mode):
        return int(mode, 8)
    hint = 'write it as text, in quotes: `mode: "0644"`'
    problems.append(_wrong("E3102", "mode", f"`{mode}` is not a file mode", hint))
    return None


def _content(config: Mapping[str, Value], problems: list[Problem]) -> str | SecretText | None:
    content = config.get("content")
    if isinstance(content, Unknown):
        return None
    if isinstance(content, SecretText):
        return content
    if not isinstance(content, str):
        hint = "give a text; for JSON use `${ ... | tojson }`"
        shown = "nothing" if "content" not in config else type(content).__name__
        problems.append(_wrong("E3103", "content", f"the content of a file is a text, not `{shown}`", hint))
        return None
    if len(content) > limits.FILE_CONTENT_BYTES:
        most = f"at most {limits.FILE_CONTENT_BYTES} bytes are possible"
        problems.append(_wrong("E3103", "content", f"the content has `{len(content)}` characters", most))
    return content


def _name(config: Mapping[str, Value], key: str, problems: list[Problem]) -> str | None:
    value = config.get(key)
    if value is None or isinstance(value, Unknown):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        problems.append(
            _wrong("E3103", key, f"`{value}` is not a name or number of an {key}", "for example `root`")
        )
        return None
    return str(value)


def _flag(config: Mapping[str, Value], key: str, problems: list[Problem]) -> bool:
    value = config.get(key, False)
    if not isinstance(value, bool | Unknown):
        problems.append(_wrong("E3103", key, f"`{key}` is `{value}`", "give `true` or `false`"))
    return value is True


def _wrong(code: str, key: str, message: str, remedy: str) -> Problem:
    return Problem(code, message, label=key, help=(remedy,))
