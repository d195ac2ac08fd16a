"""An address that stands where S3 is said to be, and is slow or silent."""

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
