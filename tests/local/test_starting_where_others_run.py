"""One machine, many folders, old lock files: a start harms nobody."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from srm_project.local import instance, leftover, ports, postgres, secrets
from srm_project.local.failures import CommandFailed
from srm_project.local.management import manage
from srm_project.local.paths import State, state_root
from srm_project.local.processes import Child
from srm_project.local.progress import Progress

DATA = Path("/srv/a b/.srm/postgres/data")
OURS = ["/opt/pg/bin/postgres", "-D", str(DATA), "-c", "port=1"]


def test_state_of_a_normal_user_stays_in_the_project(monkeypatch):
    monkeypatch.delenv("SRM_STATE", raising=False)
    assert state_root(Path("/home/a/srm"), uid=1000) == Path("/home/a/srm/.srm")


def test_state_of_root_is_where_the_servers_user_can_enter(monkeypatch):
    monkeypatch.delenv("SRM_STATE", raising=False)
    one, other = (state_root(Path(p), uid=0) for p in ("/root/a", "/root/b"))
    assert one.parent == Path("/var/lib")
    assert one != other


def test_secrets_are_made_once_and_for_their_owner_only(tmp_path):
    first = secrets.load(tmp_path / "secrets.json")
    assert secrets.load(tmp_path / "secrets.json") == first
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert len(first.secret_key) >= 50


def test_a_taken_port_is_stepped_over_or_refused():
    taken = ports.listen(ports.LOOPBACK, 0)
    number = taken.getsockname()[1]
    with pytest.raises(ports.PortTaken):
        ports.listen(ports.LOOPBACK, number)
    found = ports.listen_somewhere(ports.LOOPBACK, number)
    assert found.getsockname()[1] > number
    taken.close()
    found.close()


@pytest.mark.parametrize(
    ("command", "ours"),
    [
        (OURS, True),
        ([*OURS[:2], "/srv/another/data"], False),
        (["/usr/bin/python3", "-D", str(DATA)], False),
        ([], False),
    ],
    ids=["ours", "another folder", "another program", "nobody"],
)
def test_only_a_postgres_on_our_folder_is_ours(command, ours):
    assert leftover.is_our_server(command, "postgres", DATA) is ours


@pytest.mark.parametrize("text", ["", "no number", "99999999\n/data\n"])
def test_a_lock_file_of_nobody_is_removed(tmp_path, text):
    (tmp_path / "postmaster.pid").write_text(text)
    leftover.clear_stale_pid(tmp_path, Path("postgres"), print)
    assert not (tmp_path / "postmaster.pid").exists()


def test_a_process_that_took_over_the_number_is_left_alone(tmp_path):
    innocent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1)
    (tmp_path / "postmaster.pid").write_text(f"{innocent.pid}\n{tmp_path}\n")
    leftover.clear_stale_pid(tmp_path, Path("postgres"), print)
    assert innocent.poll() is None
    assert not (tmp_path / "postmaster.pid").exists()
    innocent.communicate(b"\n")


def test_the_lock_is_held_by_one(tmp_path):
    with instance.locked(tmp_path / "lock"):
        with pytest.raises(instance.AlreadyRunning):
            with instance.locked(tmp_path / "lock"):
                pass
    with instance.locked(tmp_path / "lock"):
        pass


def test_a_child_comes_back_after_a_wait_that_grows(tmp_path):
    child = Child("sleeper", ["sleep", "60"], tmp_path / "log")
    child.start()
    child.process.kill()
    child.process.wait()
    assert child.keep_alive(10.0)
    assert not child.keep_alive(10.1) and not child.alive
    child.keep_alive(11.0)
    assert child.alive
    child.stop()
    assert not child.alive


def test_a_start_says_which_step_of_how_many_it_is_at():
    lines: list[str] = []
    progress = Progress(lines.append)
    progress.total = 2
    progress.step("Starting.")
    progress.detail("5 of 10")
    progress.began -= 3  # seconds pass
    progress.step("Loading.")
    progress.end()
    assert lines == [
        "[1/2] Starting.",
        "      5 of 10",
        "      done in 3 s",
        "[2/2] Loading.",
    ]


@pytest.mark.slow
def test_a_failed_command_shows_the_end_of_its_log(own_state):
    with pytest.raises(CommandFailed, match=r"dervie failed(?s:.*)Did you mean derive"):
        manage(own_state, os.environ, "dervie")


@pytest.mark.slow
def test_lines_of_a_command_are_shown_while_it_runs(own_state):
    lines: list[str] = []
    manage(own_state, os.environ, "version", show=lines.append)
    assert lines[0].startswith("5.")
    assert lines[0] in (own_state.logs / "manage.log").read_text()


def test_programs_that_serve_do_not_learn_the_owners_password():
    known = secrets.without_password("postgresql://srm_owner:word@127.0.0.1:5/srm")
    assert known == "postgresql://srm_owner@127.0.0.1:5/srm"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's promise is Linux's")
def test_a_child_dies_with_a_killed_parent(tmp_path):
    code = (
        "from pathlib import Path; import time;"
        "from srm_project.local.processes import Child;"
        f"c = Child('s', ['sleep', '60'], Path({str(tmp_path / 'log')!r}));"
        "c.start(); print(c.process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    assert _gone(pid)


def _gone(pid):
    for _ in range(100):
        if not leftover.command_of(pid):
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def own_state():
    """Outside pytest's folders: the servers' user cannot enter those of root."""
    root = Path(tempfile.mkdtemp(prefix="srm test "))
    yield State(root).prepare()
    shutil.rmtree(root, ignore_errors=True)


@pytest.mark.slow
def test_a_database_starts_keeps_and_starts_again(own_state):
    """Also over the lock file of a killed server, in a folder with a space."""
    kept = secrets.load(own_state.secrets)
    first = postgres.Postgres(own_state, kept)
    first.start()
    with psycopg.connect(first.owner_url) as owner:
        owner.execute("CREATE TABLE remembered (word text)")
        owner.execute("INSERT INTO remembered VALUES ('yes')")
    first.child.process.kill()
    first.child.process.wait()
    time.sleep(0.5)
    (first.data / "postmaster.pid").write_text(f"{os.getpid()}\n{first.data}\n")
    second = postgres.Postgres(own_state, kept)
    second.start()
    with psycopg.connect(second.owner_url) as owner:
        assert owner.execute("SELECT word FROM remembered").fetchone() == ("yes",)
    second.stop()
    assert not second.child.alive
    with socket.socket() as probe:
        assert probe.connect_ex((ports.LOOPBACK, second.port)) != 0


@pytest.mark.slow
def test_the_database_asks_for_passwords_and_the_app_owns_nothing(own_state):
    server = postgres.Postgres(own_state, secrets.load(own_state.secrets))
    server.start()
    wrong = server.url(postgres.APP, "guessed")
    with pytest.raises(psycopg.OperationalError, match="password authentication"):
        psycopg.connect(wrong)
    with psycopg.connect(server.app_url) as app:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("CREATE TABLE mine (word text)")
    server.stop()
