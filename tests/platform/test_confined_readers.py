"""UP-03, UP-08: whatever a hostile file makes its reader do, it does it alone.

The readers here misbehave on purpose; the kernel's limits are the real ones.
"""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from controls import confined
from controls.confined import Heavy, Reader, ReadersAway, running
from evidence.files.checks import check, files, text_files
from evidence.files.checks.kinds import TEXTS


def reader(name: str, **limits: int) -> Reader:
    kept = {"memory": 200_000_000, "processor": 10, "seconds": 20}
    return Reader(module="tests.misreaders", name=name, **kept | limits)


def read(name: str, body: bytes = b"", **limits: int) -> bytes:
    with reader(name, **limits).read(io.BytesIO(body)) as answer:
        return answer.read()


def test_a_reader_gets_the_file_and_nothing_of_ours(monkeypatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "of this process")
    with socket.create_server(("127.0.0.1", 0)) as ours:
        port = ours.getsockname()[1]
        seen = json.loads(read("look_around", str(port).encode()))
    assert set(seen["variables"]) <= {"LC_CTYPE"}
    assert seen["descriptors"] == [0, 1, 2]
    assert seen["capabilities"] == 0
    assert seen["reached"] is not confined.readers_without_network()


def test_the_file_is_read_from_its_beginning_wherever_it_stands(tmp_path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"from the beginning")
    with path.open("rb") as file:
        file.read(8)
        with reader("echo").read(file) as answer:
            assert answer.read() == b"from the beginning"


def test_a_stream_that_is_no_file_is_read_as_well() -> None:
    first, second = socket.socketpair()
    first.sendall(b"from a store")
    first.close()
    with second, second.makefile("rb") as stream:
        with reader("echo").read(stream) as answer:
            assert answer.read() == b"from a store"


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("devour", {}),
        ("devour_below_python", {}),
        ("compute", {"processor": 1}),
        ("sleep_past_the_alarm", {"seconds": 1}),
        ("fill_the_disk", {"written": 5_000_000}),
        ("chatter", {}),
        ("break_off", {}),
    ],
)
def test_whoever_exceeds_a_limit_is_ended_and_the_next_file_is_read(
    name, limits
) -> None:
    with pytest.raises(Heavy):
        read(name, **limits)
    assert read("echo", b"the next one") == b"the next one"


@pytest.mark.skipif(os.geteuid() == 0, reason="the limit does not hold for root")
def test_a_reader_forks_nobody() -> None:
    with pytest.raises(Heavy):
        read("fork")


def test_several_files_are_read_at_once_and_answers_are_not_mixed_up() -> None:
    answers: dict[int, bytes] = {}

    def ask(number: int) -> None:
        answers[number] = read("echo", b"%d" % number * 100_000)

    threads = [threading.Thread(target=ask, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {n: b"%d" % n * 100_000 for n in range(8)}


def test_a_server_that_was_killed_is_started_anew() -> None:
    read("echo")
    server = running.ReaderServer._running["all kinds"]
    os.kill(server.process.pid, signal.SIGKILL)
    assert read("echo", b"again") == b"again"
    assert running.ReaderServer._running["all kinds"] is not server


def test_a_server_ends_with_the_process_that_started_it() -> None:
    program = (
        "import io; from controls.confined import running, Reader;"
        "Reader('tests.misreaders', 'echo', 10**8, 5, 5).read(io.BytesIO(b'x'));"
        "server, = running.ReaderServer._running.values();"
        "print(server.process.pid, flush=True);"
        "import os; os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, cwd=settings.BASE_DIR
    )
    server = Path(f"/proc/{int(done.stdout)}")
    for _ in range(100):
        if not server.exists() or "Z" in server.joinpath("stat").read_text().split():
            return
        threading.Event().wait(0.05)
    pytest.fail("It outlived the process that started it.")


def test_texts_are_read_by_forks_of_a_server_that_has_loaded_little() -> None:
    assert set(text_files.CHECKS) == TEXTS
    assert text_files.CHECKS.items() <= files.CHECKS.items()
    running.ReaderServer.end_of_this_process()
    assert check(io.BytesIO(b"a,b\n"), "rows.csv").media_type == "text/csv"
    assert list(running.ReaderServer._running) == ["texts"]
    server = running.ReaderServer._running["texts"]
    mapped = Path(f"/proc/{server.process.pid}/maps").read_text()
    assert not [name for name in ("PIL", "pikepdf", "lxml") if f"/{name}/" in mapped]


def test_no_file_is_taken_where_nobody_can_look_into_it(monkeypatch) -> None:
    running.ReaderServer.end_of_this_process()
    monkeypatch.setattr(running, "SCRIPT", Path("/nonexistent.py"))
    with pytest.raises(ReadersAway, match="Nothing was stored"):
        read("echo")


@pytest.mark.django_db
def test_the_probe_says_whether_readers_have_a_network(monkeypatch) -> None:
    alone = confined.readers_without_network()
    words = "without a network" if alone else "with the network of this machine"
    assert Client().get("/readyz").json()["files_are_read"] == words
    running.ReaderServer.end_of_this_process()
    monkeypatch.setattr(running, "SCRIPT", Path("/nonexistent.py"))
    answer = Client().get("/readyz").json()
    assert (answer["files_are_read"], answer["ready"]) == ("not at all", True)
