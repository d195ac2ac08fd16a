"""What `make run` lets in, and as whom it runs what strangers reach."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from srm_project.local import open_demo, programs_account
from srm_project.local.accounts import OURSELVES, Account
from srm_project.local.failures import StartFailed
from srm_project.local.paths import State
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
