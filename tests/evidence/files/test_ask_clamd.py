"""UP-10: whatever a scanner answers, bytes are clean only where it says just that."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from evidence.files.clamd import Clamd, LongerThanTaken, ScannerFailed

PIECES = [b"a" * 1000, b"b" * 1000]
SENT = b"nINSTREAM\n" + b"".join(b"\x00\x00\x03\xe8" + piece for piece in PIECES)


@contextmanager
def answering(answer: bytes, server: socket.socket) -> Iterator[list[bytes]]:
    """A scanner that reads all of one talk, then says this."""
    seen: list[bytes] = []

    def talk() -> None:
        conversation, _ = server.accept()
        with conversation:
            taken = b""
            while not taken.endswith((b"\x00" * 4, b"nPING\n")):
                taken += conversation.recv(4096)
            conversation.sendall(answer)
            seen.append(taken)

    thread = Thread(target=talk)
    thread.start()
    with server:
        yield seen
        thread.join()


def on_a_port(answer: bytes) -> tuple[str, Iterator[list[bytes]]]:
    server = socket.create_server(("127.0.0.1", 0))
    url = f"tcp://127.0.0.1:{server.getsockname()[1]}"
    return url, answering(answer, server)


@pytest.mark.parametrize("by", ["tcp", "unix"])
def test_clean_bytes_are_sent_as_they_are_by_either_way(by: str, tmp_path) -> None:
    if by == "tcp":
        url, scanner = on_a_port(b"stream: OK\n")
    else:
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(tmp_path / "clamd"))
        server.listen()
        url, scanner = f"unix://{tmp_path}/clamd", answering(b"stream: OK\n", server)
    with scanner as seen:
        assert Clamd(url, timeout=5).scan(PIECES) is None
    assert seen == [SENT + b"\x00" * 4]


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (b"stream: Test-Signature.UNOFFICIAL FOUND\n", "Test-Signature.UNOFFICIAL"),
        (b"stream:  FOUND\n", ""),
        (b"stream: OK FOUND\n", "OK"),
    ],
)
def test_what_was_found_is_named_and_never_clean(answer: bytes, name: str) -> None:
    url, scanner = on_a_port(answer)
    with scanner:
        assert Clamd(url, timeout=5).scan(PIECES) == name


@pytest.mark.parametrize(
    ("answer", "failure", "why"),
    [
        (b"", ScannerFailed, "closed the conversation"),
        (b"OK\n", ScannerFailed, "^OK$"),
        (b"stream: OK, perhaps\n", ScannerFailed, "perhaps"),
        (b"stream: Can't allocate memory ERROR\n", ScannerFailed, "allocate"),
        (b"x" * 5000, ScannerFailed, "xxx"),
        (b"INSTREAM size limit exceeded. ERROR\n", LongerThanTaken, "exceeded"),
    ],
)
def test_any_other_answer_is_a_failure(answer: bytes, failure: type, why: str) -> None:
    url, scanner = on_a_port(answer)
    with scanner, pytest.raises(failure, match=why):
        Clamd(url, timeout=5).scan(PIECES)


@pytest.mark.parametrize(("answer", "is_there"), [(b"PONG\n", True), (b"no\n", False)])
def test_a_ping_is_answered_or_not(answer: bytes, is_there: bool) -> None:
    url, scanner = on_a_port(answer)
    with scanner:
        if is_there:
            assert Clamd(url, timeout=5).ping() is None
        else:
            with pytest.raises(ScannerFailed, match="no"):
                Clamd(url, timeout=5).ping()
