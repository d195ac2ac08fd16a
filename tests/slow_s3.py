"""An address that stands where S3 is said to be, and is slow or silent: by itself, or
in front of a real one."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field

DONE = b"HTTP/1.1 200 OK\r\nETag: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class StandIn:
    """Listens where the store is said to be; silent, or slow by `pause` seconds a kB.

    Speaks as much of S3 as a PUT of one object needs.
    """

    pause: float
    silent: bool = True
    came: list[str] = field(default_factory=list)  # first lines of requests
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(
                    target=self._serve, args=(client,), daemon=True
                ).start()

    def _serve(self, client: socket.socket) -> None:
        with closing(client), suppress(OSError):
            head, _, rest = self._head(client).partition(b"\r\n\r\n")
            if not head:
                return
            self.came.append(head.split(b"\r\n")[0].decode())
            if self.silent:
                self.over.wait()
                return
            lines = [line.split(b":", 1) for line in head.lower().split(b"\r\n")[1:]]
            headers = {name: value.strip() for name, value in lines}
            if headers.get(b"expect"):
                client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            left = int(headers.get(b"content-length", 0)) - len(rest)
            while left > 0 and (piece := client.recv(min(left, 1024))):
                left -= len(piece)
                time.sleep(self.pause)
            client.sendall(DONE)

    def _head(self, client: socket.socket) -> bytes:
        head = b""
        while b"\r\n\r\n" not in head and (piece := client.recv(1024)):
            head += piece
        return head

    def close(self) -> None:
        self.over.set()
        self.listener.close()


@dataclass
class Throttled:
    """Stands before a real server of S3 and lets its answers through as slowly as said.

    `bytes_a_second` may be changed at any time; None: as fast as they come.
    """

    behind: int  # the port of the real one
    bytes_a_second: float | None = None
    came: int = 0  # connections so far

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.came += 1
                server = socket.create_connection(("127.0.0.1", self.behind))
                threading.Thread(
                    target=self._between, args=(client, server), daemon=True
                ).start()

    def _between(self, client: socket.socket, server: socket.socket) -> None:
        with client, server:
            back = threading.Thread(target=self._pump, args=(server, client, True))
            back.daemon = True
            back.start()
            self._pump(client, server, False)
            back.join()

    def _pump(self, source: socket.socket, to: socket.socket, slow: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                self._send(to, piece, slow=slow)
        for end in (source, to):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _send(self, to: socket.socket, piece: bytes, *, slow: bool) -> None:
        while piece:
            rate = self.bytes_a_second if slow else None
            if rate is None:
                to.sendall(piece)
                return
            size = max(1, int(rate / 20))
            to.sendall(piece[:size])
            piece = piece[size:]
            time.sleep(size / rate)

    def close(self) -> None:
        self.listener.close()
