"""A real clamd with a database of one signature, for the stories about scanning."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HALVES = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", r"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*")
BINARY = shutil.which("clamd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def virus() -> bytes:
    """The harmless text that scanners agree to call a virus; never written whole."""
    return "".join(HALVES).encode()


@dataclass
class Clamd:
    """A running scanner, to be stopped and started again."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What CLAMAV_URL says."""
        return f"tcp://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait until it answers."""
        assert BINARY
        self.process = subprocess.Popen(
            [BINARY, "--foreground", "-c", str(self.folder / "clamd.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise TimeoutError("clamd did not start")

    def stop(self) -> None:
        """Kill it."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def configured(folder: Path) -> Clamd:
    """A scanner in a folder of its own that knows one signature; not started."""
    port = free_port()
    signature = f"Test-Signature:0:*:{virus().hex()}\n"
    (folder / "local.ndb").write_text(signature)
    folder.chmod(0o755)
    said = {
        "DatabaseDirectory": folder,
        "TCPSocket": port,
        "TCPAddr": "127.0.0.1",
        "StreamMaxLength": "1M",
        "Foreground": "yes",
        "User": "root" if os.getuid() == 0 else None,
    }
    lines = [f"{name} {value}" for name, value in said.items() if value is not None]
    (folder / "clamd.conf").write_text("\n".join(lines) + "\n")
    return Clamd(folder, port)


@pytest.fixture(scope="session")
def one_clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clamd]:
    """clamd for the session; skipped where Debian's clamav-daemon is not installed."""
    if BINARY is None:
        pytest.skip("no clamd here (Debian: clamav-daemon); .ci/run installs it")
    found = configured(tmp_path_factory.mktemp("clamd"))
    found.start()
    yield found
    found.stop()


@pytest.fixture
def clamd(one_clamd: Clamd, settings) -> Clamd:
    """The scanner, running, with CLAMAV_URL pointing at it."""
    if one_clamd.process is None:
        one_clamd.start()
    settings.CLAMAV_URL = one_clamd.url
    return one_clamd
