"""The unprivileged user that the servers run as when we are root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SERVER_ACCOUNTS = ("postgres", "srm", "nobody")


@dataclass(frozen=True)
class Account:
    """A user to become; None in both when we stay who we are."""

    uid: int | None = None
    gid: int | None = None

    def own(self, path: Path) -> None:
        """Hand a file or folder of ours to this user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


OURSELVES = Account()


def server_account() -> Account:
    """Ourselves, or for root an existing system user (initdb wants a named one)."""
    if os.geteuid() != 0:
        return OURSELVES
    for name in SERVER_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    return _new_account()


def _new_account() -> Account:
    subprocess.run(
        [
            "useradd",
            "--system",
            "--no-create-home",
            "--shell",
            "/usr/sbin/nologin",
            "srm",
        ],
        check=True,
    )
    entry = pwd.getpwnam("srm")
    return Account(entry.pw_uid, entry.pw_gid)


def within_reach(
    program: Path, folders: tuple[str, ...], account: Account, copies: Path
) -> Path:
    """`program`, or its copy when the account cannot run it where it lies.

    `folders` name the first parts of its path that have to be copied together,
    seen from the folder that holds them all.
    """
    if account.uid is None or _runs(program, account):
        return program
    site = next(p for p in program.parents if (p / folders[0]).is_dir())
    copied = copies / program.relative_to(site)
    if not _same(program, copied):
        copies.mkdir(mode=0o755, exist_ok=True)
        copies.chmod(0o755)
        for folder in folders:
            if (site / folder).is_dir():
                shutil.copytree(
                    site / folder, copies / folder, symlinks=True, dirs_exist_ok=True
                )
    return copied


def _runs(program: Path, account: Account) -> bool:
    try:
        finished = subprocess.run(
            [program, "--version"],
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            cwd="/",
            capture_output=True,
        )
    except PermissionError:
        return False
    return finished.returncode == 0


def _same(original: Path, copied: Path) -> bool:
    if not copied.exists():
        return False
    first, second = original.stat(), copied.stat()
    return (first.st_size, int(first.st_mtime)) == (
        second.st_size,
        int(second.st_mtime),
    )
