"""What `make run` lets in, and as whom it runs what strangers reach."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from srm_project.local import instance, open_demo, programs_account
from srm_project.local.__main__ import main
from srm_project.local.accounts import OURSELVES, Account
from srm_project.local.failures import StartFailed
from srm_project.local.paths import PROJECT, State
from srm_project.local.supervise import Supervisor

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="root gives files away")


@pytest.fixture
def own_state() -> Iterator[State]:
    """Outside pytest's folders, which only root may enter."""
    root = Path(tempfile.mkdtemp(prefix="srm test "))
    yield State(root).prepare()
    shutil.rmtree(root, ignore_errors=True)


@pytest.mark.parametrize(
    ("host", "others"),
    [
        ("127.0.0.1", False),
        ("127.9.9.9", False),
        ("localhost", False),
        ("0.0.0.0", True),
        ("192.0.2.7", True),
        ("::", True),
        ("srm.example.org", True),
    ],
)
def test_a_demo_is_opened_to_other_machines_only_if_somebody_says_so(
    monkeypatch: pytest.MonkeyPatch, host: str, others: bool
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    open_demo.require_consent(host, {"DEMO_FOR_OTHERS": "yes"})
    if others:
        with pytest.raises(StartFailed, match="DEMO_FOR_OTHERS=yes"):
            open_demo.require_consent(host, {})
    else:
        open_demo.require_consent(host, {})


@pytest.mark.parametrize(
    ("answer", "goes_on"), [("y", True), ("", False), ("n", False)]
)
def test_at_a_terminal_it_asks(
    monkeypatch: pytest.MonkeyPatch, answer: str, goes_on: bool
) -> None:
    asked: list[str] = []

    def typed(question: str) -> str:
        asked.append(question)
        return answer

    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", typed)
    if goes_on:
        open_demo.require_consent("0.0.0.0", {})
    else:
        with pytest.raises(StartFailed):
            open_demo.require_consent("0.0.0.0", {})
    assert "second factor" in asked[0]


def test_nothing_is_started_before_that_is_settled(
    monkeypatch: pytest.MonkeyPatch, own_state: State
) -> None:
    """Also where the demo was loaded by an earlier start, whatever DEMO says now."""
    own_state.demo_accounts.write_text("olivia@example.com")
    monkeypatch.setenv("DEMO", "no")
    monkeypatch.setenv("HOST", "0.0.0.0")
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    supervisor = Supervisor(own_state)
    with pytest.raises(StartFailed, match="no second factor"):
        supervisor._start()
    assert supervisor.children == []
    assert supervisor.listener is None


@AS_ROOT
def test_what_root_made_in_a_folder_is_handed_to_its_owner(own_state: State) -> None:
    nobody = pwd.getpwnam("nobody")
    folder = own_state.evidence
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    (folder / "ab").mkdir()
    (folder / "ab" / "bytes").write_bytes(b"x")
    elsewhere = own_state.root / "of-root"
    elsewhere.write_text("secret")
    (folder / "link").symlink_to(elsewhere)
    os.link(elsewhere, folder / "second-name")
    programs_account.hand_over(folder)
    assert (folder / "ab").stat().st_uid == nobody.pw_uid
    assert (folder / "ab" / "bytes").stat().st_uid == nobody.pw_uid
    assert elsewhere.stat().st_uid == 0


@AS_ROOT
def test_a_folder_that_the_account_cannot_write_is_named(
    monkeypatch: pytest.MonkeyPatch, own_state: State
) -> None:
    """It is not given away: whoever named it may need it for others."""
    nobody = pwd.getpwnam("nobody")
    account = Account(nobody.pw_uid, nobody.pw_gid)
    monkeypatch.setattr(programs_account, "_account", lambda: account)
    monkeypatch.setattr("sys.executable", "/bin/sh")  # any that everybody may run
    monkeypatch.setattr(programs_account, "TRIAL", "exit 4")
    given = own_state.root / "given"
    given.mkdir(mode=0o700)
    with pytest.raises(programs_account.StaysRoot, match="cannot write everything"):
        programs_account.programs_account(own_state, {"EVIDENCE_STORE": str(given)})
    assert given.stat().st_uid == 0
    assert own_state.evidence.stat().st_uid == nobody.pw_uid


def test_whoever_is_not_root_stays_who_they_are(
    monkeypatch: pytest.MonkeyPatch, own_state: State
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert programs_account.programs_account(own_state, {}) == OURSELVES


def test_secrets_in_files_of_root_reach_the_programs(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("k" * 50 + "\n")
    env: dict[str, Any] = {"SECRET_KEY_FILE": str(path), "LOG_LEVEL": "INFO"}
    read = programs_account.with_secrets_read(env)
    assert read == {"SECRET_KEY": "k" * 50, "LOG_LEVEL": "INFO"}


# What `make worker` runs, with an account that every machine has.
ONE_MORE = """
import sys
from srm_project.local import programs_account
from srm_project.local.__main__ import main
programs_account.NAME = "nobody"
sys.exit(main(["worker"]))
"""


@pytest.fixture
def one_more(own_state: State) -> Iterator[subprocess.Popen[bytes]]:
    """A worker started beside an instance that says it runs from here."""
    env = {
        "DATABASE_URL": "postgresql://srm:secret@127.0.0.1:1/none",
        "DATABASE_OWNER_URL": "postgresql://owner:very-secret@127.0.0.1:1/none",
        "BROKER_URL": "memory://",
        "SECRET_KEY": "k" * 50,
        "EVIDENCE_STORE": str(own_state.evidence),
        "SITE_URL": "http://localhost",
    }
    with instance.locked(own_state.lock):
        running = instance.Running(os.getpid(), "http://localhost", env)
        instance.announce(own_state, running)
        process = subprocess.Popen(
            [sys.executable, "-c", ONE_MORE],
            cwd=PROJECT,
            env={**os.environ, "SRM_STATE": str(own_state.root), "PYTHONPATH": "."},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        yield process
        process.kill()
        process.communicate()


def becomes_celery(process: subprocess.Popen[bytes]) -> dict[str, str]:
    """The environment of a process once it is a worker; fails when it ends before."""
    lies = Path(f"/proc/{process.pid}")
    for _ in range(600):
        if process.poll() is not None and process.stderr is not None:
            pytest.fail(process.stderr.read().decode())
        if b"celery" in (lies / "cmdline").read_bytes():
            held = (lies / "environ").read_bytes().decode().split("\0")
            return dict(line.partition("=")[::2] for line in held if line)
        time.sleep(0.1)
    pytest.fail("it was no worker after a minute")


def ids_of(process: subprocess.Popen[bytes], name: str) -> set[str]:
    """Real, effective, saved and file ids: all that a process may become again."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    line = next(x for x in status.splitlines() if x.startswith(f"{name}:"))
    return set(line.split()[1:])


@AS_ROOT
def test_one_more_worker_drops_to_the_account_of_the_programs(one_more) -> None:
    nobody = pwd.getpwnam("nobody")
    try:
        programs_account._try(Account(nobody.pw_uid, nobody.pw_gid), [])
    except programs_account.StaysRoot as reason:
        pytest.skip(f"on this machine it stays root: {reason}")
    held = becomes_celery(one_more)
    assert ids_of(one_more, "Uid") == {str(nobody.pw_uid)}
    assert ids_of(one_more, "Gid") == {str(nobody.pw_gid)}
    assert ids_of(one_more, "Groups") == set()
    assert held["SRM_PROCESS"] == "worker"
    assert "very-secret" not in held["DATABASE_OWNER_URL"]


def test_where_nothing_runs_there_is_no_worker(own_state: State, capsys, monkeypatch):
    monkeypatch.setenv("SRM_STATE", str(own_state.root))
    assert main(["worker"]) == 1
    assert "SRM does not run from this folder." in capsys.readouterr().err
