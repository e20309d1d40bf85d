"""Have spin go through all behaviours of the model of leases, and through those of its mutations.

    python scripts/model.py [--faults 2] [--engines 2] [--only NAME ...]

The protocol must hold in every behaviour; every mutation must break the assertion that it is about.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MODEL: Final = Path(__file__).resolve().parents[1] / "models" / "lease.pml"
DEPTH: Final = 100_000
STATES = re.compile(r"^\s*([0-9.e+]+) states, stored", re.MULTILINE)
BROKEN = re.compile(r"^pan:1: (.*?) \(at depth", re.MULTILINE)
UNREACHED = re.compile(r'lease\.pml:(\d+), state \d+, "(?!-end-)(.*)"')

ONE_OWNER = "owner==e"
OLD_OWNER = "line[i].token==token"
GIVEN_UP = "!(line[i].given_up)"
INTENT = "assertion violated intended"
ONCE = "happened<=1"
KNOWING = "perhaps_begun"
CYCLE = "acceptance cycle"


@dataclass(frozen=True, slots=True)
class Case:
    """A variant of the model: what is defined in it, and the words of the assertion that it must break."""

    name: str
    breaks: str = ""
    liveness: bool = False


CASES: Final = (
    Case("safety"),
    Case("liveness", liveness=True),
    Case("NO_TOKEN_CHECK", OLD_OWNER),
    Case("NO_ROW_LOCK", OLD_OWNER),
    Case("NO_LOCAL_STOP", ONE_OWNER),
    Case("STOP_AT_LEASE_END", ONE_OWNER),
    Case("AGE_FROM_ANSWER", ONE_OWNER),
    Case("RELEASE_WITHOUT_TOKEN", ONE_OWNER),
    Case("CLOCK_OF_THE_WORKER", ONE_OWNER),
    Case("ACT_BEFORE_INTENT", INTENT),
    Case("KEY_OF_THE_OWNER", ONCE),
    Case("FRESH_AFTER_TAKEOVER", KNOWING),
    Case("LOOK_WITHOUT_RAISING", GIVEN_UP),
    Case("NOBODY_TAKES_OVER", CYCLE, liveness=True),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What spin found: how many states there are, what broke, which lines nothing ever reached."""

    states: int
    broken: str | None
    unreached: tuple[str, ...]

    def fits(self, case: Case) -> bool:
        """Return whether this is what the case must come to."""
        if case.breaks:
            return self.broken is not None and case.breaks in self.broken
        return self.broken is None and not self.unreached


def missing() -> str | None:
    """Return which program is missing for this, if one is."""
    absent = [name for name in ("spin", "gcc") if shutil.which(name) is None]
    return f"`{absent[0]}` is not installed" if absent else None


def examined(case: Case, faults: int, engines: int) -> Verdict:
    """Return what spin finds in all behaviours with so many engines and at most so many faults.

    Raises `RuntimeError` when spin did not get through, so that half a search never counts.
    """
    defined = [f"-DFAULTS={faults}", f"-DENGINES={engines}"]
    defined += [f"-D{case.name}"] if case.breaks else []
    defined += ["-DLIVENESS"] if case.liveness else []
    with tempfile.TemporaryDirectory(prefix="dirigent-model-") as folder:
        _run(["spin", *defined, "-a", str(MODEL)], folder)
        kind = ["-DNFAIR=24"] if case.liveness else ["-DSAFETY"]
        _run(["gcc", "-O2", "-w", *kind, "-DCOLLAPSE", "-DVECTORSZ=4096", "-o", "pan", "pan.c"], folder)
        # Weak fairness: whoever can act for ever will act at some time.
        search = ["-a", "-f"] if case.liveness else []
        said = _run(["./pan", f"-m{DEPTH}", *search], folder)
    states, broken = STATES.search(said), BROKEN.search(said)
    if states is None or "max search depth too small" in said or "out of memory" in said:
        raise RuntimeError(f"spin did not get through {case.name}: {said[-500:]}")
    # A search that stops at an error, or that looks for cycles only, reaches less.
    whole = not case.breaks and not case.liveness
    unreached = tuple(f"{line}: {text}" for line, text in UNREACHED.findall(said)) if whole else ()
    return Verdict(int(float(states[1])), broken[1] if broken else None, unreached)


def _run(command: list[str], folder: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or (done.returncode and command[0] != "./pan"):
        raise RuntimeError(f"{command[0]} failed: {done.stdout[-500:]}{done.stderr[-500:]}")
    return done.stdout


def main() -> None:
    """Examine every case and say what came of it; end with 1 when one is not as it must be."""
    parser = argparse.ArgumentParser(description="Check the model of leases with spin.")
    parser.add_argument("--faults", type=int, default=2, help="at most so many faults in one behaviour")
    parser.add_argument("--engines", type=int, default=2, choices=(2, 3))
    parser.add_argument("--only", nargs="*", default=[], help="names of cases")
    asked = parser.parse_args()
    if (reason := missing()) is not None:
        sys.exit(f"the model cannot be checked: {reason}")
    wrong = 0
    for case in CASES:
        if asked.only and case.name not in asked.only:
            continue
        began = time.monotonic()
        verdict = examined(case, asked.faults, asked.engines)
        wrong += not verdict.fits(case)
        came = f"BREAKS {verdict.broken}" if verdict.broken else "holds"
        must = "as it must" if verdict.fits(case) else "WHICH IT MUST NOT"
        seconds = time.monotonic() - began
        print(f"{case.name:22} {came}, {must}  ({verdict.states:,} states, {seconds:.1f} s)", flush=True)
        for line in verdict.unreached:
            print(f"   never reached: {line}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
