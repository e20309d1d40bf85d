"""A length of time, in every form that a document may write it, as seconds.

Months and years are refused: without a calendar they have no length. The core needs this at run
time for computed durations, the front-ends for literal ones; both get the same sentences.
"""

from __future__ import annotations

import math
import re
from typing import Final

from dirigent.model import limits
from dirigent.model.values import Value

UNITS: Final[dict[str, float]] = {
    "days": 86_400.0,
    "hours": 3_600.0,
    "minutes": 60.0,
    "seconds": 1.0,
    "milliseconds": 0.001,
}

_NUMBER: Final = r"(\d{1,15}(?:[.,]\d{1,15})?)"
_ISO: Final = re.compile(
    rf"P(?=.)(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}W)?(?:{_NUMBER}D)?"
    rf"(?:T(?=\d)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?",
    re.ASCII,
)
_ISO_SECONDS: Final = (604_800.0, 86_400.0, 3_600.0, 60.0, 1.0)


def seconds_of(value: Value) -> float:
    """Return the seconds in a number, an object of `UNITS`, or an ISO 8601 duration.

    Raises `ValueError` with a sentence that names the value; negative ones and those above
    `limits.WAIT_SECONDS` are refused too.
    """
    number = _number(value)
    if number is not None:
        seconds = float(min(max(number, -1), limits.WAIT_SECONDS + 1))
    elif isinstance(value, str):
        seconds = _iso(value)
    elif isinstance(value, dict):
        seconds = _members(value)
    else:
        seconds = _refuse(value)
    if seconds < 0 or math.isnan(seconds):
        raise ValueError(f"`{value}` is not a length of time: it must be zero or more")
    if seconds > limits.WAIT_SECONDS:
        raise ValueError(f"`{value}` is longer than the limit of {limits.WAIT_SECONDS} seconds")
    return seconds


def _number(value: Value) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _refuse(value: Value) -> float:
    kind = "an empty value" if value is None else f"`{value}`"
    raise ValueError(
        f"{kind} is not a duration: give seconds, an ISO 8601 duration such as `PT1M30S`, "
        "or an object such as `{minutes: 1, seconds: 30}`"
    )


def _iso(text: str) -> float:
    match = _ISO.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"`{text}` is not an ISO 8601 duration such as `PT30S`, `PT1H30M`, `P2DT12H` or `P1W`"
        )
    years, months, *rest = match.groups()
    if years or months:
        unit = "years" if years else "months"
        raise ValueError(
            f"`{text}` counts {unit}, and {unit} differ in length: write it in weeks, days, hours, "
            "minutes and seconds (`PT5M` is five minutes, `P5M` five months)"
        )
    return math.fsum(
        float(number.replace(",", ".")) * unit
        for number, unit in zip(rest, _ISO_SECONDS, strict=True)
        if number
    )


def _members(value: dict[str, Value]) -> float:
    if not value:
        raise ValueError(f"an empty object is not a duration: give one or more of {_known()}")
    total = []
    for unit, count in value.items():
        if unit not in UNITS:
            raise ValueError(f"`{unit}` is not a unit of a duration: {_known()} are")
        number = _number(count)
        if number is None:
            raise ValueError(f"`{count}` is not a number of {unit}")
        if not 0 <= number <= limits.WAIT_SECONDS * 1000:
            raise ValueError(f"`{count}` {unit} is negative or longer than {limits.WAIT_SECONDS} seconds")
        total.append(number * UNITS[unit])
    return math.fsum(total)


def _known() -> str:
    return ", ".join(f"`{unit}`" for unit in UNITS)
