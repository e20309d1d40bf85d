"""Run one campaign and write its record: `python -m storms.campaign NAME --count N --seed S`."""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from dirigent.jq import LANGUAGE
from lang.jq.pairs import Wrong, compared
from providers.crashes.campaign import providers_killed
from storms.rig import record
from storms.rig.enumeration import try_all
from storms.rig.faults import FAULTS, strike
from storms.rig.kills import Astray, Power, Twice, storm
from storms.rig.ledger import Lost
from storms.rig.loop import MAKE
from storms.rig.nursery import Nursery
from storms.rig.powercut import cut_often


def powercut(count, seed, folder):
    """Cut the power on each file system; then the control, which must lose something."""
    found = {}
    for kind in MAKE:
        with tempfile.TemporaryDirectory(dir=folder) as aside:
            cuts = cut_often(aside, kind, count, seed)
        found[kind] = {"cuts": cuts.cuts, "acknowledged": cuts.promises, "late": cuts.late, "lost": 0}
        print(found)
    found["control: synchronous=normal"] = {kind: _control(folder, kind, seed) for kind in MAKE}
    return found


def _control(folder, kind, seed):
    with tempfile.TemporaryDirectory(dir=folder) as aside:
        try:
            cut_often(aside, kind, 20, seed, weak="normal")
        except Lost as lost:
            return f"found out: {lost}"
    raise AssertionError(f"the control on {kind} lost nothing")


def kills(count, seed, folder):
    """Kill engines under a crowd of runs; the controls are engines with a planted fault."""
    found = storm(folder, Power(count, runs=5 * count), seed)
    print(found)
    controls = {}
    for plant in ("intent late", "key per engine", "result first"):
        with tempfile.TemporaryDirectory(dir=folder) as aside:
            controls[f"control: {plant}"] = _found_out(aside, plant)
    return {**found.figures(), **controls}


def _found_out(folder, plant):
    try:
        storm(folder, Power(60), 1, width=40, plant=plant)
    except (Lost, Twice, Astray) as wrong:
        return f"found out: {str(wrong)[:120]}"
    raise AssertionError(f"the control `{plant}` was not found out")


def faults(count, seed, folder):
    """Fail at so many points in each way that a disk can fail; the control is a disk that is silent."""
    nursery, found = Nursery(folder), {}
    try:
        for kind in FAULTS:
            found[kind] = strike(nursery, Path(folder, kind), kind, count).figures()
            print(kind, found[kind])
        try:
            strike(nursery, Path(folder, "control"), "fsync fails once", count, deaf=True)
        except AssertionError as lost:
            found["control: a failed fsync that nobody is told of"] = f"found out: {str(lost)[:120]}"
    finally:
        nursery.close()
    assert len(found) == len(FAULTS) + 1, "the control lost nothing"
    return found


def crashstates(count, seed, folder):
    """Try so many thousand states of traced lives, one life after the other; then the two controls."""
    total, lives = Counter(), 0
    while total["states"] < 1000 * count:
        lives += 1
        total.update(_states(folder, f"{seed}-{lives}", weak=""))
        assert not total["wrong"], total
        print(lives, dict(total))
    controls = {
        f"control: synchronous={weak}": _states(folder, seed, weak=weak) for weak in ("normal", "off")
    }
    assert all(found["wrong"] for found in controls.values()), controls
    return {"lives": lives, **total, **controls}


def _states(folder, seed, weak):
    with tempfile.TemporaryDirectory(dir=folder) as aside:
        tried = try_all(aside, seed, weak=weak)
    return {
        "points": tried.points,
        "states": tried.states,
        "driven by an engine": tried.driven,
        "promises": tried.promises,
        "wrong": len(tried.wrong),
    }


def expressions(count, seed, folder):
    """Ask so many generated pairs of program and value in both places; the control is wrong by one."""
    found = compared(count, seed)
    try:
        compared(1_000, seed, lambda text: Wrong(LANGUAGE.compile(text)))
    except AssertionError as wrong:
        return {**found, "different": 0, "control: integers one too large": f"found out: {str(wrong)[:80]}"}
    raise AssertionError("the control was not found out")


def providers(count, seed, folder):
    """Kill applies of 800 objects so often, then an apply of three at every place; the control repeats."""
    return providers_killed(count, seed, Path(folder))


CAMPAIGNS = {
    "expressions": expressions,
    "faults": faults,
    "kills": kills,
    "crashstates": crashstates,
    "powercut": powercut,
    "providers": providers,
}


def main():
    """Run what was asked for, in a folder of its own."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("name", choices=CAMPAIGNS)
    asked.add_argument("--count", type=int, default=100)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--unclean", action="store_true", help="run although files differ from the commit")
    args = asked.parse_args()
    changed = record.changed()
    if changed and not args.unclean:
        sys.exit(f"nobody could run this again, these differ from the commit: {', '.join(changed)}")
    watch = record.Watch()
    with tempfile.TemporaryDirectory() as folder:
        result = CAMPAIGNS[args.name](args.count, args.seed, folder)
    print(record.write(args.name, result, watch, count=args.count, seed=args.seed).read_text())


if __name__ == "__main__":
    main()
