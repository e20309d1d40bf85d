"""Run one campaign and write its record: `python -m storms.campaign NAME --count N --seed S`."""

import argparse
import tempfile

from storms.rig import record
from storms.rig.ledger import Lost
from storms.rig.loop import MAKE
from storms.rig.powercut import cut_often


def powercut(count, seed, folder):
    """Cut the power on each file system; then the control, which must lose something."""
    found = {}
    for kind in MAKE:
        cuts = cut_often(folder, kind, count, seed)
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


CAMPAIGNS = {"powercut": powercut}


def main():
    """Run what was asked for, in a folder of its own."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("name", choices=CAMPAIGNS)
    asked.add_argument("--count", type=int, default=100)
    asked.add_argument("--seed", type=int, default=1)
    args = asked.parse_args()
    watch = record.Watch()
    with tempfile.TemporaryDirectory() as folder:
        result = CAMPAIGNS[args.name](args.count, args.seed, folder)
    print(record.write(args.name, result, watch, count=args.count, seed=args.seed).read_text())


if __name__ == "__main__":
    main()
