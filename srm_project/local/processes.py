"""Child processes that never outlive us and that come back when they die."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from srm_project.local.accounts import OURSELVES, Account

PR_SET_PDEATHSIG = 1
MAX_WAIT, STEADY_AFTER = 30.0, 60.0  # seconds
MAX_LOG_BYTES = 10 * 1024 * 1024


def dies_with_parent(ending: signal.Signals) -> Callable[[], None]:
    """A preexec function: the kernel sends `ending` when our process is gone."""
    parent = os.getpid()
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def arrange() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, int(ending))
            if os.getppid() != parent:
                os._exit(1)

    return arrange


@dataclass
class Child:
    """One program, its log, and how to stop and restart it."""

    name: str
    command: Sequence[str | Path]
    log: Path
    env: Mapping[str, str] | None = None
    account: Account = OURSELVES
    cwd: Path | str = "/"
    stop_signal: signal.Signals = signal.SIGTERM
    stdin: bytes | None = None
    pass_fds: tuple[int, ...] = ()
    patience: float = 20.0
    before_restart: Callable[[], None] | None = None
    process: subprocess.Popen[bytes] | None = None
    _wait: float = 0.5
    _due: float = field(default=0.0)
    _since: float = field(default=0.0)

    def start(self) -> None:
        """Start it in a session of its own: Ctrl-C reaches us, and we stop it."""
        with _opened(self.log) as log:
            self.process = subprocess.Popen(
                [str(part) for part in self.command],
                env=self.env,
                cwd=self.cwd,
                stdin=subprocess.PIPE if self.stdin else subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.account.uid,
                group=self.account.gid,
                extra_groups=[] if self.account.uid is not None else None,
                start_new_session=True,
                pass_fds=self.pass_fds,
                preexec_fn=dies_with_parent(self.stop_signal),
            )
        if self.stdin and self.process.stdin:
            self.process.stdin.write(self.stdin)
            self.process.stdin.close()
        self._since = time.monotonic()

    @property
    def alive(self) -> bool:
        """Whether it runs now."""
        return self.process is not None and self.process.poll() is None

    def keep_alive(self, now: float) -> bool:
        """Restart it when it died and its wait is over; True when it just died.

        While it runs, its log turns over.
        """
        if self.alive:
            self.turn_log_over()
            return False
        if not self._due:
            self._wait = 0.5 if now - self._since > STEADY_AFTER else self._wait
            self._due = now + self._wait
            self._wait = min(self._wait * 2, MAX_WAIT)
            self.clear_up()
            return True
        if now >= self._due:
            self._due = 0.0
            if self.before_restart is not None:
                self.before_restart()
            self.start()
        return False

    def turn_log_over(self) -> None:
        """Keep a log that has grown long aside, and begin it anew under its writer.

        The program goes on to write to the same file, at its end, wherever that is.
        What it writes within these two steps is lost.
        """
        if self.log.exists() and self.log.stat().st_size > MAX_LOG_BYTES:
            shutil.copyfile(self.log, _kept_aside(self.log))
            os.truncate(self.log, 0)

    def ask_to_stop(self) -> None:
        """Send the signal it knows as an orderly stop."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)

    def stop(self) -> None:
        """Stop it, politely for `patience` seconds."""
        if self.process is None:
            return
        self.ask_to_stop()
        try:
            self.process.wait(self.patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.clear_up()

    def clear_up(self) -> None:
        """End what is left of its session (its pid is still ours to name)."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass

    def last_words(self, lines: int = 15) -> str:
        """The end of its log."""
        try:
            text = self.log.read_text(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])


def _kept_aside(log: Path) -> Path:
    return log.with_suffix(".log.1")


def _opened(log: Path):  # type: ignore[no-untyped-def]
    """The log for appending; a big one is kept aside once."""
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        log.replace(_kept_aside(log))
    return log.open("ab")
