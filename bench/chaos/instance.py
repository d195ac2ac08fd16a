"""A throwaway installation, as `make run` starts it, with a small company."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from srm_project.local.instance import read_announcement
from srm_project.local.paths import PROJECT, State

START_SECONDS = 300
DISK_MEGABYTES = 200  # of the evidence store, where it may be a disk of its own
# What the environment says of another installation is none of ours.
FOREIGN = ("DATABASE_URL", "DATABASE_OWNER_URL", "BROKER_URL", "EVIDENCE_STORE")
SETTINGS = {
    "DEMO": "no",
    "MFA_REQUIRED": "no",
    "EXPORT_LEASE_SECONDS": "15",
    "TEAM_FILES_PER_DAY": "1000000",
    "TEAM_BYTES_PER_DAY": "1000000000000",
    "LOG_LEVEL": "WARNING",
}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Instance:
    """One installation below a temporary folder, and the pid of who supervises it."""

    root: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="srm-")))
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    has_own_disk: bool = False

    @property
    def url(self) -> str:
        """Where its web server answers."""
        return f"http://localhost:{self.port}"

    @property
    def store(self) -> Path:
        """The folder of its evidence and of its exports."""
        return self.root / "evidence"

    def start(self) -> None:
        """Start it, return once it gives pages; Django is set up for its database."""
        self.root.chmod(0o711)  # the database's user enters
        self._mount()
        env = {k: v for k, v in os.environ.items() if k not in FOREIGN} | SETTINGS
        env |= {"SRM_STATE": str(self.root), "PORT": str(self.port)}
        with (self.root / "run.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "srm_project.local", "run"],
                cwd=PROJECT,
                env=env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + START_SECONDS
        while (running := read_announcement(State(self.root))) is None:
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit((self.root / "run.log").read_text())
            time.sleep(0.5)
        os.environ |= SETTINGS | running.env
        os.environ["DJANGO_SETTINGS_MODULE"] = "srm_project.settings"
        import django

        django.setup()

    def stop(self) -> None:
        """Stop it and leave nothing."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(120)
            self.process.kill()
            self.process.wait()
        if self.has_own_disk:
            subprocess.run(["umount", "-l", self.store], check=False)
        shutil.rmtree(self.root, ignore_errors=True)

    def _mount(self) -> None:
        """Give the store a small disk of its own, where root may."""
        self.store.mkdir(mode=0o700)
        options = f"size={DISK_MEGABYTES}m,mode=0700"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.store)]
        with suppress(OSError):
            done = subprocess.run(command, check=False, capture_output=True)
            self.has_own_disk = done.returncode == 0


@dataclass(frozen=True)
class ClientCompany:
    """Tokens by name, what is asked for, and the cookies of alice's browser."""

    tokens: dict[str, str]
    requirement: str
    day: dt.date
    cookies: str


def build_company() -> ClientCompany:
    """The small company of the tests, now: alice brings, rita reviews, ray reads."""
    from django.conf import settings
    from django.test import Client
    from knox.models import AuthToken

    from controls.models import TokenScope
    from tests.evidence import house as houses

    now = dt.datetime.now(dt.UTC)
    houses.BEGINS, houses.TODAY = now, now.date()
    house = houses.build()
    tokens = {}
    for name in ("alice", "rita", "ray"):
        token, secret = AuthToken.objects.create(
            house.people[name], expiry=dt.timedelta(days=1)
        )
        scope = "export" if name == "ray" else "write"
        TokenScope.objects.create(token=token, name="chaos", scope=scope)
        tokens[name] = secret
    browser = Client()
    browser.force_login(
        house.alice, backend="django.contrib.auth.backends.ModelBackend"
    )
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    cookies = f"{settings.SESSION_COOKIE_NAME}={session}"
    return ClientCompany(tokens, str(house.requirement().uuid), now.date(), cookies)
