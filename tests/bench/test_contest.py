"""The harness itself, on ours: short sizes, real processes, and clients that are wrong on purpose."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
from contest import family, machine
from contest.client import Client, Failed
from contest.contestants import MILLION, OURS, Contestant, Size
from contest.environments import Environments, NotInstalled
from contest.results import Results
from contest.rounds import CLIENTS, SOURCES, Ground, Round, held

from storms.required import needs

ROOT = Path(__file__).parents[2]
POSTGRES = [*Path("/").glob("usr/lib/postgresql/*/bin/initdb")] or shutil.which("initdb")
SMALL = {
    "A": Size(1, 20, 1),
    "B": Size(6, 5, 3),
    "C": Size(12),
    "D": Size(30),
    "E": Size(60, 10, 60),
    "F": Size(),
}


@pytest.fixture
def ground():
    # The folder of a test is closed to the user as which PostgreSQL runs.
    with tempfile.TemporaryDirectory(prefix="dirigent-contest-") as name:
        yield Ground(Path(name), Environments(Path(name, "peers")), quiet_seconds=0)


@pytest.mark.slow
@pytest.mark.parametrize("workload", "ABCDEF")
def test_a_round_of_ours_has_its_figures(workload, ground):
    found = held(OURS[0], workload, SMALL[workload], ground)
    assert found["flush_ms"] > 0
    match workload:
        case "A" | "B" | "C":
            assert found["steps"] == SMALL[workload].runs * SMALL[workload].steps
            assert found["steps_per_s"] > 0
            assert found["cpu_s_per_1000"] >= 0, "the clock of processes ticks a hundred times a second"
        case "D":
            assert found["starts_per_s"] > 0
            assert min(found["pss_mib"], found["base_pss_mib"]) > 1, "so few sleepers do not show in memory"
        case "E":
            assert (found["lost"], found["strange"]) == (0, 0)
            assert found["killed_at"] >= 300
        case "F":
            assert 0 < found["cpu_s"] < 60


@pytest.mark.slow
@pytest.mark.parametrize("contestant", OURS[1:], ids=lambda contestant: contestant.name)
def test_every_other_way_to_use_ours_takes_part(contestant, ground):
    if contestant.server == "postgres":
        lacking = None if POSTGRES else "PostgreSQL is not installed"
        needs("postgresql", lacking)
    for workload in set(contestant.workloads) & {"A", "E"}:
        found = held(contestant, workload, SMALL[workload], ground)
        assert found.get("lost", 0) == 0


@pytest.mark.slow
def test_keyed_steps_happen_once_though_everything_is_killed(ground):
    keyed = next(each for each in OURS if each.name == "dirigent-keyed")
    found = held(keyed, "E", SMALL["E"], ground)
    assert (found["lost"], found["again"]) == (0, 0)


def flushes_of(contestant, folder):
    """Count what a chain of 40 steps asks of the disk."""
    counts = folder / "counts"
    orders = {"WORKLOAD": "A", "VARIANT": contestant.variant, "RUNS": "1", "STEPS": "40", "AT_ONCE": "1"}
    orders |= {"FOLDER": str(folder), "TRACE": str(folder / "trace")}
    watched = ["strace", "-f", "-c", "-e", "trace=fdatasync,fsync", "-o", str(counts)]
    subprocess.run(
        [*watched, sys.executable, str(CLIENTS / contestant.script)],
        env={**os.environ, **{f"CONTEST_{name}": word for name, word in orders.items()}}
        | {"PYTHONPATH": f"{CLIENTS}:{SOURCES}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=60,
    )
    rows = [row.split() for row in counts.read_text().splitlines()]
    return sum(int(row[3]) for row in rows if row and row[-1] in {"fdatasync", "fsync"})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dirigent", "dirigent-python", "dirigent-pipelined"])
def test_what_is_called_strict_flushes_each_step(name, tmp_path):
    needs("strace", None if shutil.which("strace") else "strace is not installed")
    contestant = next(each for each in OURS if each.name == name)
    # The negative control is the way that is not strict: it would be found out if it were called so.
    assert (flushes_of(contestant, tmp_path) >= 40) is contestant.strict


CHEAT = """
import os, sys
print("begin", flush=True)
marks = [(f"w{r}", s) for r in range(6) for s in range(5)]
CHANGE
for run, step in marks:
    with open(os.environ["CONTEST_TRACE"], "a") as trace:
        print(run, step, 1, file=trace)
print("end", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "caught"),
    [
        ("", None),
        ("del marks[7]", "30 steps"),
        ("marks.append(marks[0])", "30 steps"),
        ("marks[3] = marks[4]", "30 steps"),
        ("sys.exit(3)", "without saying `end`"),
    ],
    ids=["honest", "lost", "doubled", "one for another", "dies"],
)
def test_a_client_that_loses_or_doubles_a_step_is_caught(change, caught, tmp_path, ground):
    script = tmp_path / "cheat.py"
    script.write_text(CHEAT.replace("CHANGE", change))
    cheat = replace(OURS[0], name="cheat", script=str(script))
    if caught is None:
        assert held(cheat, "B", SMALL["B"], ground)["steps"] == 30
        return
    with pytest.raises(Failed, match=caught):
        held(cheat, "B", SMALL["B"], ground)


def test_who_has_more_to_do_gets_more_time_for_it():
    assert MILLION.seconds >= MILLION.runs / 5_000
    assert Size(1, 1000, 1).seconds == Size(1000).seconds == Size(100, 10, 10).seconds < 10


@pytest.mark.slow
def test_a_client_that_is_silent_too_long_is_killed_and_its_folder_goes(tmp_path, ground):
    script = tmp_path / "sleeper.py"
    script.write_text(
        "import sys, time\nprint('begin', flush=True)\nsys.stderr.write('so tired')\ntime.sleep(60)\n"
    )
    silent = replace(OURS[0], name="silent", script=str(script), seconds=6.0)
    with pytest.raises(Failed, match=r"took too long.*so tired"):
        held(silent, "B", SMALL["B"], ground)
    assert not (ground.folder / "silent" / "B").exists()


@pytest.mark.slow
def test_a_command_in_part_goes_aside_and_can_be_resumed(tmp_path):
    out = tmp_path / "results.json"
    command = [sys.executable, "bench/compare.py", "--only", "dirigent", "--scale", "0.01", "--repeat", "1"]
    command += ["--quiet", "0", "--out", str(out), "--peers", str(tmp_path)]
    first = subprocess.run([*command, "--work", "B"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "== dirigent B" in first.stdout
    second = subprocess.run(
        [*command, "--work", "BC", "--resume"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "== dirigent B" not in second.stdout
    assert "== dirigent C" in second.stdout
    assert set(Results.read(out).engines["dirigent"]["work"]) == {"B", "C"}


@pytest.mark.slow
def test_a_run_that_is_broken_off_leaves_nothing_behind(tmp_path):
    command = [sys.executable, "bench/compare.py", "--only", "dirigent", "--work", "D", "--quiet", "0"]
    out, folder = tmp_path / "results.json", tmp_path / "ground"
    folder.mkdir()
    run = subprocess.Popen(
        [*command, "--out", str(out), "--folder", str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout.readline().startswith("== dirigent D")
    until = time.monotonic() + 60
    while not list(folder.glob("*/dirigent/D/bench.db")) and time.monotonic() < until:
        time.sleep(0.01)
    run.terminate()
    run.communicate(timeout=60)
    assert list(folder.iterdir()) == []
    alive = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(folder) not in alive


def test_a_peer_that_cannot_be_installed_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotInstalled, match="no npm"):
        Environments(tmp_path).node(("something==1",))


@pytest.mark.slow
def test_an_installation_that_broke_off_is_made_anew(tmp_path):
    environments = Environments(tmp_path)
    with pytest.raises(NotInstalled):
        environments.python("broken", (str(tmp_path / "nothing.whl"),))
    assert not (tmp_path / "broken" / "pins.json").exists()
    assert (environments.python("empty", ()) / "bin" / "python").exists()
    (tmp_path / "empty" / "witness").touch()
    environments.python("empty", ())
    assert (tmp_path / "empty" / "witness").exists(), "what stands is not made again"


def test_processor_time_of_children_is_counted_also_when_they_are_dead():
    before = family.cpu_seconds()
    subprocess.run([sys.executable, "-c", "sum(range(3_000_000))"], check=True)
    assert family.cpu_seconds() > before


def test_the_probes_give_figures_and_leave_nothing(tmp_path):
    assert machine.flush_milliseconds(tmp_path) > 0
    assert machine.commits_per_second(tmp_path, 5) > 0
    assert list(tmp_path.iterdir()) == []
    assert machine.filesystem(tmp_path) != ""
    assert machine.filesystem(Path("/proc")) == "proc"


def test_a_quiet_machine_is_not_waited_for_for_ever():
    began = time.monotonic()
    assert 0 <= machine.quiet(-1, 0) <= 1
    assert time.monotonic() - began < 60


def test_orders_reach_a_client_and_its_words_come_back(tmp_path):
    command = [sys.executable, "-c", "import os; print(os.environ['WORD'], flush=True)"]
    with Client(command, tmp_path, {**os.environ, "WORD": "begin"}, 30) as client:
        client.until("begin")
        with pytest.raises(Failed, match="without saying `end`"):
            client.until("end")


def test_a_round_without_a_trace_has_no_marks(tmp_path):
    contestant = Contestant("x", "x", "x", "x.py")
    assert Round(contestant, "B", Size(), tmp_path, [], {}).marks() == ""
