"""What clamd says about bytes: the two commands of its protocol that are needed.

Our own since the libraries for it are under the GPL. Source: clamd(8), INSTREAM.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from urllib.parse import urlsplit

PORT = 3310  # where an address names none
MAX_ANSWER_BYTES = 4096
END = struct.pack("!L", 0)  # a piece of no bytes is the last one
CLEAN, BEGIN, FOUND = "stream: OK", "stream: ", " FOUND"


class ScannerFailed(Exception):
    """clamd said nothing, or nothing about the bytes."""


class LongerThanTaken(ScannerFailed):
    """The bytes are more than StreamMaxLength of clamd."""


class Clamd:
    """A scanner at `tcp://host:port` or `unix:///path`; each question is one talk.

    `timeout` are the seconds that it may be silent. Raises OSError where it cannot be
    reached or does not answer in time.
    """

    def __init__(self, url: str, *, timeout: float) -> None:
        self.url, self.timeout = urlsplit(url), timeout

    def ping(self) -> None:
        """Return where it answers at all. Raises ScannerFailed."""
        with self._talk() as talk:
            talk.sendall(b"nPING\n")
            if (answer := _answer(talk)) != "PONG":
                raise ScannerFailed(answer or "it closed the conversation")

    def scan(self, pieces: Iterable[bytes]) -> str | None:
        """The name of what is in the bytes; None: they are clean, as it says.

        No piece is empty. Raises LongerThanTaken, ScannerFailed for any other answer.
        """
        with self._talk() as talk:
            talk.sendall(b"nINSTREAM\n")
            for piece in pieces:
                if not _is_taken(talk, struct.pack("!L", len(piece)) + piece):
                    break  # it has answered before the end
            else:
                _is_taken(talk, END)
            answer = _answer(talk)
        if answer == CLEAN:
            return None
        if answer.startswith(BEGIN) and answer.endswith(FOUND):
            return answer[len(BEGIN) : -len(FOUND)]
        if "size limit exceeded" in answer:
            raise LongerThanTaken(answer)
        raise ScannerFailed(answer or "it closed the conversation")

    def _talk(self) -> socket.socket:
        if self.url.scheme == "unix":
            talk = socket.socket(socket.AF_UNIX)
            try:
                talk.settimeout(self.timeout)
                talk.connect(self.url.path)
            except OSError:
                talk.close()
                raise
            return talk
        host = self.url.hostname or "127.0.0.1"
        place = host, self.url.port or PORT
        return socket.create_connection(place, timeout=self.timeout)


def _is_taken(talk: socket.socket, data: bytes) -> bool:
    """Send; False where the other side reads no more."""
    try:
        talk.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def _answer(talk: socket.socket) -> str:
    """One line; empty where it closes without one."""
    answer = b""
    while not answer.endswith(b"\n") and len(answer) < MAX_ANSWER_BYTES:
        more = talk.recv(MAX_ANSWER_BYTES)
        if not more:
            break
        answer += more
    return answer.decode("utf-8", "replace").strip()
