import asyncio
import json
from pathlib import Path

import pytest

from dirigent.model import limits
from dirigent.providers.services.folder import folder_of
from dirigent.providers.services.logs import LogWriter, read_logs


@pytest.fixture
def folder(tmp_path):
    made = folder_of(str(tmp_path), "api")
    made.path.mkdir()
    return made


async def collected(services, **options):
    return [line.text async for line in read_logs(str(services), "api", **options)]


def test_lines_come_back_with_who_said_them_when(folder, tmp_path):
    log = LogWriter(folder.log)
    log.write(2, "out", "hällo \x1b[1m")
    log.write(None, "steward", "replica 2 ended")
    log.close()

    async def main():
        return [line async for line in read_logs(str(tmp_path), "api")]

    first, second = asyncio.run(main())
    assert (first.replica, first.stream, first.text) == (2, "out", "hällo \x1b[1m")
    assert (second.replica, second.stream) == (None, "steward")
    assert first.at <= second.at


def test_the_last_lines_are_the_newest(folder, tmp_path):
    log = LogWriter(folder.log)
    for number in range(10):
        log.write(1, "out", str(number))
    log.close()
    assert asyncio.run(collected(tmp_path, last=3)) == ["7", "8", "9"]
    assert asyncio.run(collected(tmp_path, last=0)) == []


def test_a_service_without_a_log_has_no_lines(tmp_path):
    assert asyncio.run(collected(tmp_path)) == []


def test_old_files_go_and_the_rest_is_read_in_order(folder, tmp_path):
    log = LogWriter(folder.log, file_bytes=500, files=3)
    for number in range(100):
        log.write(1, "out", f"line {number}")
    log.close()
    names = sorted(path.name for path in folder.path.iterdir())
    assert names == ["service.log", "service.log.1", "service.log.2"]
    assert all(path.stat().st_size < 600 for path in folder.path.iterdir())
    read = asyncio.run(collected(tmp_path))
    assert read == [f"line {number}" for number in range(100 - len(read), 100)]
    assert len(read) > 10


def test_a_writer_goes_on_where_the_former_one_ended(folder, tmp_path):
    for number in range(3):
        log = LogWriter(folder.log)
        log.write(1, "out", str(number))
        log.close()
    assert asyncio.run(collected(tmp_path)) == ["0", "1", "2"]


def test_half_a_line_and_foreign_lines_are_passed_over(folder, tmp_path):
    log = LogWriter(folder.log)
    log.write(1, "out", "whole")
    log.close()
    with folder.log.open("ab") as file:
        file.write(b'{"at": 1\nnot json\n[1]\n{"at": 1, "rep')
    log = LogWriter(folder.log)
    log.close()
    assert asyncio.run(collected(tmp_path)) == ["whole"]


def test_secrets_become_their_names(folder):
    log = LogWriter(folder.log)
    log.hide({"token": "hunter2", "empty": ""})
    assert log.write(1, "out", "login with hunter2!") == "login with (secret token)!"
    log.close()
    assert b"hunter2" not in folder.log.read_bytes()


@pytest.mark.parametrize(
    "shown",
    ["a/b+c d&1", "a%2Fb%2Bc+d%261", "a%2Fb%2Bc%20d%261", "a/b%2Bc%20d%261", "YS9iK2MgZCYx"],
)
def test_a_secret_in_a_url_or_in_base64_becomes_its_name_too(folder, shown):
    log = LogWriter(folder.log)
    log.hide({"key": "a/b+c d&1"})
    assert log.write(1, "out", f"GET /?k={shown} 200") == "GET /?k=(secret key) 200"
    log.close()


def test_a_secret_of_many_lines_is_hidden_line_by_line_and_inside_json(folder):
    log = LogWriter(folder.log)
    log.hide({"pem": "-----BEGIN\nMIIEvQIBADAN\n--\n"})
    assert log.write(1, "out", "| MIIEvQIBADAN") == "| (secret pem)"
    assert log.write(1, "out", "-- a rule") == "-- a rule"
    assert log.write(1, "out", json.dumps({"k": "-----BEGIN\nMIIEvQIBADAN\n--\n"})) == '{"k": "(secret pem)"}'
    log.close()


def test_a_secret_that_begins_with_another_one_is_hidden_whole(folder):
    log = LogWriter(folder.log)
    log.hide({"short": "hunter", "long": "hunter-two"})
    assert log.write(1, "out", "hunter-two, hunter") == "(secret long), (secret short)"
    log.close()


def test_a_log_that_cannot_be_rotated_costs_neither_the_service_nor_older_files(folder):
    log = LogWriter(folder.log, file_bytes=200)
    for number in range(4):
        log.write(1, "out", f"line {number} {'x' * 60}")
    older = folder.log.with_name("service.log.1").read_bytes()
    hidden = folder.path.with_name("elsewhere")
    folder.path.rename(hidden)
    for number in range(9):
        log.write(1, "out", f"lost {number} {'x' * 60}")
    hidden.rename(folder.path)
    log.write(1, "out", "back")
    log.close()
    kept = [path.read_bytes() for path in folder.path.iterdir()]
    assert older in kept
    assert b"back" in b"".join(kept)


def test_following_sees_every_line_once_across_rotations(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("dirigent.providers.services.logs.FOLLOW_SECONDS", 0.001)
    log = LogWriter(folder.log, file_bytes=2000, files=4)
    log.write(1, "out", "0")

    async def main():
        seen = []
        written = 1
        async for line in read_logs(str(tmp_path), "api", follow=True):
            seen.append(line.text)
            if len(seen) == 200:
                return seen
            if len(seen) == written:
                for _ in range(7):
                    log.write(1, "out", str(written))
                    written += 1
        return seen

    assert asyncio.run(main()) == [str(number) for number in range(200)]
    log.close()


def test_following_begins_before_there_is_a_log(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("dirigent.providers.services.logs.FOLLOW_SECONDS", 0.001)

    async def main():
        lines = read_logs(str(tmp_path), "api", follow=True)
        first = asyncio.ensure_future(anext(lines))
        await asyncio.sleep(0.01)
        log = LogWriter(folder.log)
        log.write(1, "out", "here")
        assert (await first).text == "here"
        log.close()
        await lines.aclose()

    asyncio.run(main())


def test_text_that_is_no_unicode_is_written_all_the_same(folder):
    log = LogWriter(folder.log)
    log.write(1, "out", "a\ud800b")
    log.close()
    assert json.loads(folder.log.read_bytes())["text"] == "a?b"


def test_the_limits_are_those_of_the_house(folder):
    assert limits.SERVICE_LOG_FILES * limits.SERVICE_LOG_BYTES <= 64 * 1024 * 1024
    assert Path(folder.log).parent == folder.path


def test_a_full_disk_costs_lines_but_nothing_else():
    log = LogWriter(Path("/dev/full"))
    assert log.write(1, "out", "lost") == "lost"
    log.close()
