"""Exit codes: a public contract, documented in docs/cli.md."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from dirigent.model.problem import Problem


class Exit(IntEnum):
    """What an exit code means."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    DENIED = 3
    NOT_FOUND = 4
    CHANGES = 5
    WAITING = 6
    REFUSED = 7
    CONFLICT = 8
    GAVE_UP = 9
    BUG = 70
    INTERRUPTED = 130


# Codes that mean something else than their thousand does.
_SPECIAL: Final = {
    "E2008": Exit.REFUSED,
    "E2037": Exit.CONFLICT,
    "E2040": Exit.CONFLICT,
    "E2041": Exit.NOT_FOUND,
    "E2042": Exit.CONFLICT,
    "E2044": Exit.CONFLICT,
    "E2048": Exit.CONFLICT,
    "E2049": Exit.WAITING,
    "E2050": Exit.NOT_FOUND,
    "E2052": Exit.CONFLICT,
    "E3020": Exit.USAGE,
    "E3021": Exit.USAGE,
    "E3028": Exit.NOT_FOUND,
    "E3029": Exit.NOT_FOUND,
    "E3030": Exit.NOT_FOUND,
    "E3038": Exit.USAGE,
    "E3039": Exit.NOT_FOUND,
    "E3041": Exit.NOT_FOUND,
    "E3042": Exit.NOT_FOUND,
    "E3058": Exit.CONFLICT,
    "E3059": Exit.USAGE,
    "E3061": Exit.NOT_FOUND,
    "E3062": Exit.CONFLICT,
    "E4002": Exit.CONFLICT,
    "E4003": Exit.CONFLICT,
    "E4004": Exit.NOT_FOUND,
    "E4010": Exit.NOT_FOUND,
    "E4011": Exit.USAGE,
    "E4012": Exit.NOT_FOUND,
    "E4013": Exit.WAITING,
    "E4014": Exit.NOT_FOUND,
    "E4015": Exit.WAITING,
    "E4016": Exit.GAVE_UP,
    "E4017": Exit.USAGE,
    "E4018": Exit.USAGE,
    "E4030": Exit.CONFLICT,
    "E4031": Exit.NOT_FOUND,
    "E4032": Exit.NOT_FOUND,
    "E4033": Exit.USAGE,
    "E4034": Exit.USAGE,
    "E4035": Exit.CONFLICT,
    "E4050": Exit.NOT_FOUND,
    "E4051": Exit.USAGE,
    "E4052": Exit.CONFLICT,
    "E5001": Exit.CONFLICT,
    "E5002": Exit.CONFLICT,
    "E5034": Exit.CONFLICT,
    "E6005": Exit.USAGE,
    "E6008": Exit.USAGE,
    "E6009": Exit.USAGE,
    "E6010": Exit.USAGE,
    "E6012": Exit.USAGE,
    "E6014": Exit.USAGE,
    "E6015": Exit.USAGE,
    "E7011": Exit.CONFLICT,
    "E7021": Exit.CONFLICT,
    "E7031": Exit.CONFLICT,
}
_BY_THOUSAND: Final = {
    "E1": Exit.USAGE,
    "E2": Exit.USAGE,
    "E3": Exit.FAILED,
    "E4": Exit.FAILED,
    "E5": Exit.FAILED,
    "E6": Exit.DENIED,
    "E7": Exit.USAGE,
}


def exit_of(problems: Iterable[Problem]) -> Exit:
    """Return the exit code for a refusal: that of its first error."""
    for problem in problems:
        if problem.severity == "error":
            return _SPECIAL.get(problem.code, _BY_THOUSAND.get(problem.code[:2], Exit.FAILED))
    return Exit.FAILED
