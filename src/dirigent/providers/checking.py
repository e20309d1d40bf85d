"""The answer to checks in a run: the conditions have been evaluated, here they are judged.

It depends on the request alone, so a step that is given again after a crash answers the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final, TypeGuard

from dirigent.model.fault import RUNTIME, Fault
from dirigent.model.run.effect import Broken, Done, Outcome
from dirigent.model.source import span_of
from dirigent.model.values import Value

CHECK: Final = "check"
_SHOWN_CHARACTERS: Final = 80


def is_check(request: Value) -> TypeGuard[dict[str, Value]]:
    """Return whether a request to `resource` asks checks, as `planning.safety.asking` wrote it."""
    return isinstance(request, dict) and request.get("action") == CHECK


def answered(request: Mapping[str, Value]) -> Outcome:
    """Return how checks end: broken when one does not hold that stops (E3043), or is no condition (E3044).

    The output tells of those that do not hold and only warn.
    """
    checks = [each for each in _list(request.get("checks")) if isinstance(each, dict)]
    address = str(request.get("address") or "")
    unfit = [each for each in checks if not isinstance(each.get("that"), bool)]
    stopping = [each for each in unfit if each.get("warns") is not True]
    if stopping:
        details = (f"`{each.get('condition')}` gave `{_shown(each.get('that'))}`" for each in stopping)
        detail = _coded("E3044", f"neither true nor false: {'; '.join(details)}")
        return Broken(_fault(f"a check of `{address}` is no condition", detail, stopping))
    failed = [each for each in checks if each.get("that") is False and each.get("warns") is not True]
    if failed:
        detail = _coded("E3043", "; ".join(map(told, failed)))
        return Broken(_fault(f"a check of `{address}` does not hold", detail, failed))
    return Done({"failed": [told(each) for each in checks if each.get("that") is not True]})


def told(check: Mapping[str, Value]) -> str:
    """Return what a check says that does not hold, with what it has seen."""
    that, message, seen = check.get("that"), check.get("message"), check.get("seen")
    if not isinstance(that, bool):
        return f"the condition `{check.get('condition')}` gave `{_shown(that)}`, neither true nor false"
    if not isinstance(seen, dict) or not seen:
        return str(message)
    return f"{message} ({', '.join(f'{path} = {_shown(value)}' for path, value in seen.items())})"


def _fault(title: str, detail: str, checks: Iterable[Mapping[str, Value]]) -> Fault:
    span = next((span for check in checks if (span := span_of(check.get("at"))) is not None), None)
    return Fault(RUNTIME, 500, title=title, detail=detail, span=span)


def _coded(code: str, detail: str) -> str:
    """Return a detail with the code by which its remedy is found."""
    return f"{code}: {detail}"


def _list(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []


def _shown(value: Value) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
