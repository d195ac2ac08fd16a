"""Where one installation keeps its state on this machine."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def project_hash(project: Path) -> str:
    """Ten hex digits that tell one project folder from another."""
    return hashlib.sha256(str(project).encode()).hexdigest()[:10]


def state_root(project: Path = PROJECT, uid: int | None = None) -> Path:
    """The state folder: inside the project, or for root where others may reach it.

    PostgreSQL refuses to run as root, and the user it runs as may not be able to
    enter the project's folder; we never open up a folder that is not ours.
    """
    chosen = os.environ.get("SRM_STATE")
    if chosen:
        return Path(chosen)
    if (os.geteuid() if uid is None else uid) == 0:
        return Path("/var/lib") / f"srm-{project_hash(project)}"
    return project / ".srm"


@dataclass(frozen=True)
class State:
    """The files and folders of one installation or one test run."""

    root: Path

    @property
    def postgres(self) -> Path:
        """The folder that the database's user owns."""
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        """The folder that the broker's user owns."""
        return self.root / "valkey"

    @property
    def programs(self) -> Path:
        """Copies of the servers' programs, made only when others are out of reach."""
        return self.root / "programs"

    @property
    def evidence(self) -> Path:
        """Where uploaded files go unless EVIDENCE_STORE says otherwise."""
        return self.root / "evidence"

    @property
    def mail(self) -> Path:
        """Where mails go unless EMAIL_URL says otherwise."""
        return self.root / "mail"

    @property
    def beat(self) -> Path:
        """When beat did what last."""
        return self.root / "beat"

    def of_programs(self) -> tuple[Path, ...]:
        """The folders that web, worker and beat write."""
        return (self.evidence, self.mail, self.beat)

    @property
    def logs(self) -> Path:
        """One log file per process."""
        return self.root / "log"

    @property
    def secrets(self) -> Path:
        """Generated keys and passwords, for the owner's eyes only."""
        return self.root / "secrets.json"

    @property
    def lock(self) -> Path:
        """Held by whoever runs the embedded servers."""
        return self.root / "lock"

    @property
    def running(self) -> Path:
        """What the holder of the lock announces about itself."""
        return self.root / "running.json"

    @property
    def demo_loaded(self) -> Path:
        """Exists once the demo company was loaded."""
        return self.root / "demo-loaded"

    @property
    def demo_accounts(self) -> Path:
        """What load_demo leaves for the person at the terminal."""
        return self.root / "demo-accounts.txt"

    def prepare(self) -> State:
        """Make the folders. Root's is enterable by the servers' user, not readable."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for folder in (self.logs, *self.of_programs()):
            folder.mkdir(mode=0o700, exist_ok=True)
            folder.chmod(0o700)  # an earlier version made it for all to read
        return self


def state() -> State:
    """The state of the installation in this project folder."""
    return State(state_root())
