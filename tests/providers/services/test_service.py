import asyncio
import os
import resource
import signal
import socket
import stat
import sys
from pathlib import Path

import pytest

from dirigent.model.values import SecretRef, SecretText
from dirigent.ports.resources import ProviderFailed, Reading
from dirigent.providers.services.logs import read_logs
from dirigent.shim import pulse


def standing(attributes):
    return Reading(attributes, {}, (f"port {attributes['port']} of 127.0.0.1",))


pytestmark = pytest.mark.slow


def test_a_service_comes_up_answers_and_goes_without_a_trace(desk, fetch):
    async def main():
        attributes = await desk.apply(desk.config(), "create")
        port = attributes["port"]
        assert attributes == {
            "url": f"http://127.0.0.1:{port}",
            "host": "127.0.0.1",
            "port": port,
            "replicas": 1,
        }
        assert await fetch(attributes["url"]) == "1"
        assert await desk.provider.read(desk.row) == standing(attributes)
        assert await desk.delete() == ({}, None)
        assert await desk.provider.read(desk.row) == Reading(None)
        assert await desk.delete() == ({}, None)

    asyncio.run(main())
    assert list(Path(desk.services).iterdir()) == []


def test_addresses_with_brackets_are_services_of_their_own(desk, fetch):
    async def main():
        names = ["api[0]", 'api["eu/west"]', "api"]
        urls = [(await desk.apply(desk.config(name[-4:]), address=name))["url"] for name in names]
        assert len(set(urls)) == 3
        for name in names:
            await desk.delete(name)

    asyncio.run(main())


def test_every_replica_gets_its_turn_and_its_own_port(desk, fetch):
    async def main():
        attributes = await desk.apply(desk.config(replicas=3))
        answers = {await asyncio.to_thread(raw, attributes["port"]) for _ in range(12)}
        assert len(answers) == 3
        assert len({replica["port"] for replica in desk.status().replicas}) == 3
        await desk.delete()

    asyncio.run(main())


def raw(port):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while more := connection.recv(4096):
            answer += more
        return answer


def test_scaling_up_and_down_leaves_the_others_alone(desk, wait_until):
    async def main():
        await desk.apply(desk.config(replicas=2))
        two = desk.pids()
        await desk.apply(desk.config(replicas=4))
        four = desk.pids()
        assert four[:2] == two
        assert len(set(four)) == 4
        await desk.apply(desk.config(replicas=1))
        assert desk.pids() == two[:1]
        await desk.apply(desk.config(replicas=0))
        assert desk.pids() == []
        await wait_until(lambda: not any(pulse.start_ticks(pid) for pid in four))
        await desk.delete()

    asyncio.run(main())


def test_only_health_and_restart_changes_start_nothing_anew(desk):
    async def main():
        await desk.apply(desk.config())
        before = desk.pids()
        await desk.apply(desk.config(restart={"delay": 1}, stop={"grace": 1}))
        assert desk.pids() == before
        await desk.delete()

    asyncio.run(main())


def test_a_replica_that_dies_is_restarted_and_the_address_stays(desk, fetch, wait_until):
    async def main():
        attributes = await desk.apply(desk.config())
        (pid,) = desk.pids()
        os.kill(pid, signal.SIGKILL)
        await wait_until(lambda: desk.pids() not in ([pid], [None]) and healthy(desk) == 1)
        assert desk.status().replicas[0]["restarts"] == 1
        assert await fetch(attributes["url"]) == "1"
        assert await desk.provider.read(desk.row) == standing(attributes)
        await desk.delete()

    asyncio.run(main())


def healthy(desk):
    return sum(1 for replica in desk.status().replicas if replica["state"] == "healthy")


def test_restarts_wait_longer_each_time_and_end_at_the_maximum(desk, wait_until):
    async def main():
        restart = {"delay": 0.05, "most": 0.4, "reset": 60, "max": 2}
        await desk.apply(desk.config(restart=restart))
        for _ in range(3):
            pid = await wait_until(lambda: healthy(desk) and desk.pids()[0])
            os.kill(pid, signal.SIGKILL)
            await wait_until(lambda pid=pid: desk.pids() != [pid])
        await wait_until(lambda: desk.status().replicas[0]["state"] == "given-up")
        said = [line.text async for line in read_logs(desk.services, "api") if line.stream == "steward"]
        assert [text.rpartition(" in ")[2] for text in said[:2]] == ["0.05 s", "0.1 s"]
        assert "given up: was killed by signal 9" in said[2]
        reading = await desk.provider.read(desk.row)
        assert reading.config == {"replicas": 0}
        await desk.apply(desk.row.config)
        assert healthy(desk) == 1
        await desk.delete()

    asyncio.run(main())


def test_a_replica_that_falls_ill_gets_no_connections_and_is_restarted(desk, wait_until, tmp_path):
    sick = tmp_path / "sick"
    health = {"http": "/health", "interval": 0.03, "unhealthy": 2, "within": 5}

    async def main():
        await desk.apply(desk.config(environment={"SICK": str(sick)}, health=health))
        (pid,) = desk.pids()
        sick.touch()
        await wait_until(lambda: healthy(desk) == 0)
        await wait_until(lambda: pulse.start_ticks(pid) is None)
        sick.unlink()
        await wait_until(lambda: healthy(desk) == 1)
        await desk.delete()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("health", "program"),
    [
        ({"tcp": True, "interval": 0.1}, None),
        ({}, None),
        ({"alive": True, "interval": 0.1}, ["sh", "-c", "while :; do sleep 0.1; done"]),
        (
            {"command": ["test", "-e", "up-{port}"], "interval": 0.05},
            ["sh", "-c", "touch up-$PORT; sleep 60"],
        ),
    ],
)
def test_each_kind_of_health_is_found(desk, health, program):
    async def main():
        changes = {"command": program} if program else {}
        await desk.apply(desk.config(health=health, **changes))
        assert healthy(desk) == 1
        await desk.delete()

    asyncio.run(main())


def test_a_service_that_never_becomes_healthy_is_not_left_behind(desk):
    async def main():
        with pytest.raises(ProviderFailed) as failure:
            await desk.apply(desk.config(environment={"BROKEN": "1"}), "create")
        assert failure.value.attributes is None
        text = str(failure.value)
        assert "ended with exit code 3" in text
        assert "| cannot find the ledger" in text
        said = [line.text async for line in read_logs(desk.services, "api")]
        assert "cannot find the ledger" in said
        await desk.apply(desk.config(), "create")
        await desk.delete()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"command": ["/nowhere/program"]}, "cannot start: No such file or directory: /nowhere/program"),
        ({"directory": "/nowhere"}, "cannot start: No such file or directory"),
        (
            {"command": ["sleep", "60"], "health": {"http": "/", "within": 0.2}},
            "was not healthy within 0.2 s: nothing listens on port",
        ),
        (
            {"command": ["sleep", "60"], "health": {"command": ["false"], "within": 0.2}},
            "was not healthy within 0.2 s: health command ended with exit code 1",
        ),
    ],
)
def test_the_reason_of_a_failed_start_is_told(desk, changes, reason):
    async def main():
        with pytest.raises(ProviderFailed) as failure:
            await desk.apply(desk.config(**changes), "create")
        assert reason in str(failure.value)

    asyncio.run(main())


def test_a_port_that_is_taken_is_told(desk):
    async def main():
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(ProviderFailed, match=f"port {port} on 127.0.0.1 cannot be used"):
                await desk.apply(desk.config(port=port), "create")

    asyncio.run(main())


def test_a_replica_that_ignores_the_signal_is_killed_after_its_grace(desk):
    async def main():
        program = ["sh", "-c", "trap '' TERM; while :; do sleep 0.05; done"]
        await desk.apply(
            desk.config(command=program, health={"alive": True, "interval": 0.05}, stop={"grace": 0.1})
        )
        async with asyncio.timeout(60):
            await desk.delete()

    asyncio.run(main())


def test_what_a_replica_started_goes_with_it(desk, wait_until):
    async def main():
        program = ["sh", "-c", "setsid sleep 60 & exec sleep 60"]
        await desk.apply(desk.config(command=program, health={"alive": True, "interval": 0.05}))
        await desk.delete()

    asyncio.run(main())


def test_a_secret_is_in_the_environment_and_nowhere_else(desk):
    program = [sys.executable, "-I", "-S", "-c", SHOW]
    environment = {"URL": SecretText(("db://", SecretRef("token"), "@host"))}
    config = desk.config(command=program, environment=environment, health={"alive": True, "interval": 0.05})

    async def main():
        await desk.apply(config)
        folder = desk.at().path
        said = [line.text async for line in read_logs(desk.services, "api")]
        assert "db://(secret token)@host 22" in said
        assert desk.at().current().shown["environment"]["URL"] == "db://(secret token)@host"
        for path in folder.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
            if path.name not in {"desired.json", "current.json"}:
                assert b"s3cr3t" not in path.read_bytes(), path
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert await desk.provider.read(desk.row) == standing(desk.row.attributes)
        await desk.delete()

    asyncio.run(main())


SHOW = "import os, time; print(os.environ['URL'], len(os.environ['URL']), flush=True); time.sleep(60)"


def test_a_replica_sees_the_surroundings_its_own_variables_and_its_port(desk, monkeypatch):
    monkeypatch.setenv("LEAK", "of the engine")
    program = ["sh", "-c", "env; echo files=$(ulimit -n); sleep 60"]
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]

    async def main():
        config = desk.config(command=program, health={"alive": True, "interval": 0.05})
        await desk.apply({**config, "environment": {"BIND": "127.0.0.1:{port}", "COUNT": 3}})
        lines = [line.text async for line in read_logs(desk.services, "api")]
        seen = dict(line.split("=", 1) for line in lines if "=" in line)
        port = seen.pop("PORT")
        assert seen["BIND"] == f"127.0.0.1:{port}"
        assert seen["COUNT"] == "3"
        assert seen.pop("files") == str(files)
        ours = {"DIRIGENT_SERVICE", "DIRIGENT_REPLICA", "PATH", "BIND", "COUNT"}
        assert set(seen) - {"PWD", "SHLVL", "_", "OLDPWD"} == ours
        await desk.delete()

    asyncio.run(main())


def test_a_secret_in_a_command_is_refused(desk):
    async def main():
        with pytest.raises(ProviderFailed, match="E3402"):
            await desk.apply(desk.config(command=["x", SecretText((SecretRef("token"),))]), "create")

    asyncio.run(main())
    assert not desk.at().path.exists()
