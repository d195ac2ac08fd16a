"""As root, web, worker and beat run as a user of their own, not as the database's.

So whoever breaks out of one of them reads neither root's files nor the database's.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from srm_project.local import secrets
from srm_project.local.accounts import OURSELVES, Account
from srm_project.local.paths import PROJECT, State

NAME = "srm-web"
# Secrets that root may name by a file which the account cannot read.
IN_FILES = (
    *("SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_URL", "BROKER_URL", "EMAIL_URL"),
    "SIGNING_KEY",
    *("OIDC_CLIENT_SECRET", "OIDC_ROLES"),
)
CANNOT_IMPORT, CANNOT_WRITE = 3, 4
# What the account tries: the programs, our code, and each folder with what lies in it.
TRIAL = f"""
import os, sys
try:
    import celery, django, gunicorn, controls, evidence, srm_project
except Exception:
    sys.exit({CANNOT_IMPORT})
def usable(path):
    return os.access(path, os.R_OK | os.W_OK | os.X_OK if os.path.isdir(path)
                     else os.R_OK)
for folder in sys.argv[1:]:
    inside = [entry.path for entry in os.scandir(folder)] if usable(folder) else []
    if not all(map(usable, [folder, *inside])):
        sys.stdout.write(folder)
        sys.exit({CANNOT_WRITE})
"""


class StaysRoot(Exception):
    """Why the programs cannot run as anybody else; a sentence."""


def programs_account(here: State, env: Mapping[str, str]) -> Account:
    """Who web, worker and beat run as: ourselves, or for root a user made for it.

    Folders of `here` that the programs write are handed to that user. Raises StaysRoot
    where it could not run them: it reaches neither what lies below /root, nor a given
    folder that belongs to somebody else.
    """
    if os.geteuid() != 0:
        return OURSELVES
    account = _account()
    for folder in here.of_programs():
        folder.mkdir(mode=0o700, exist_ok=True)
        account.own(folder)
        hand_over(folder)
    _try(account, _given_folders(here, env))
    return account


def hand_over(folder: Path) -> None:
    """Give what root made in a folder to the folder's owner; links are not followed.

    A file of several names stays: one of them may lie where only root may write.
    """
    if os.geteuid() != 0 or not folder.is_dir():
        return
    owner = folder.stat()
    if owner.st_uid == 0:
        return
    for _, folders, files, place in os.fwalk(folder, follow_symlinks=False):
        for name in (*folders, *files):
            entry = os.stat(name, dir_fd=place, follow_symlinks=False)
            if entry.st_uid == 0 and (name in folders or entry.st_nlink == 1):
                ids = (owner.st_uid, owner.st_gid)
                os.chown(name, *ids, dir_fd=place, follow_symlinks=False)


def environment_of_programs(env: Mapping[str, str], account: Account) -> dict[str, str]:
    """What the programs get: that there is an owner role, not its password."""
    shown = {k: v for k, v in env.items() if k != "DATABASE_OWNER_URL_FILE"}
    if owner := shown.get("DATABASE_OWNER_URL"):
        shown["DATABASE_OWNER_URL"] = secrets.without_password(owner)
    return shown if account == OURSELVES else with_secrets_read(shown)


def with_secrets_read(env: Mapping[str, str]) -> dict[str, str]:
    """The environment with what secret files hold, for an account that cannot read."""
    read = dict(env)
    for name in IN_FILES:
        if path := read.pop(f"{name}_FILE", ""):
            read[name] = Path(path).read_text(encoding="utf-8").strip()
    return read


def _account() -> Account:
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        entry = _made()
    return Account(entry.pw_uid, entry.pw_gid)


def _made() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--no-create-home"]
    command += ["--shell", "/usr/sbin/nologin", NAME]
    try:
        subprocess.run(command, check=True, capture_output=True)
        return pwd.getpwnam(NAME)
    except (OSError, subprocess.CalledProcessError, KeyError):
        raise StaysRoot(
            f"there is no user {NAME}, and none could be made. Make it, or run SRM as a"
            " user of your own."
        ) from None


def _given_folders(here: State, env: Mapping[str, str]) -> list[str]:
    """Folders that the programs write, ours and those that the environment names."""
    named = [env.get("EVIDENCE_STORE", ""), env.get("WORK_FOLDER", "")]
    own = [str(folder) for folder in here.of_programs()]
    return [*own, *(path for path in named if path and "://" not in path)]


def _try(account: Account, folders: Iterable[str]) -> None:
    existing = [folder for folder in folders if Path(folder).is_dir()]
    try:
        trial = subprocess.run(
            [sys.executable, "-c", TRIAL, *existing],
            cwd=PROJECT,
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            capture_output=True,
            text=True,
        )
        exit_code, folder = trial.returncode, trial.stdout
    except PermissionError:
        exit_code, folder = CANNOT_IMPORT, ""
    if exit_code == CANNOT_WRITE:
        raise StaysRoot(
            f"{NAME} cannot write everything in {folder}. Give the folder to it"
            f" (chown -R {NAME} {folder}), or run SRM as a user of your own."
        )
    if exit_code:
        raise StaysRoot(
            f"{NAME} cannot run {sys.executable} with the code in {PROJECT}. Put both"
            " where other users can read them, or run SRM as a user of your own."
        )
