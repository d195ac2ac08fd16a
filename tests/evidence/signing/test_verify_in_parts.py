"""AU-03, AU-04: a verification that was stopped goes on where it was and says the same;
what was changed before that place a whole run finds, and the resumed one says so."""

from __future__ import annotations

import json
import os
import signal
import stat
from pathlib import Path

import pytest

from controls.history import chain as chains
from controls.models import AuditEvent, System, User
from controls.models.audit import INSTANCE_CHAIN, Event, about
from evidence.signing import keys
from evidence.tasks import write_checkpoints
from tests.evidence.signing.test_checkpoints import as_owner, cut_tail, verified

pytestmark = pytest.mark.django_db(transaction=True)
CHANGE = "UPDATE controls_auditevent SET body = '{}' WHERE chain = %s AND seq = %s"
REMOVE = "DELETE FROM controls_auditevent WHERE chain = %s AND seq = %s"


@pytest.fixture(autouse=True)
def places(settings, tmp_path: Path) -> None:
    settings.EVIDENCE_STORE = str(tmp_path / "store")
    settings.CHECKPOINT_FOLDER = str(tmp_path / "elsewhere")


@pytest.fixture
def chain(system: System, oscar: User, monkeypatch) -> str:
    """The name of a chain of more than twelve events, read two at a time."""
    monkeypatch.setattr(chains, "PIECE", 2)
    for _ in range(12):
        AuditEvent.objects.append(about(system, "test.noted", by=oscar))
    write_checkpoints()
    return str(system.uuid)


def stop_at(chain: str, number: int, monkeypatch, name: int = signal.SIGTERM) -> None:
    """A real signal while this event is read, once."""
    read = chains._fault

    def fault(event: AuditEvent, *arguments) -> str:
        if (event.chain, event.seq) == (chain, number):
            monkeypatch.setattr(chains, "_fault", read)
            os.kill(os.getpid(), name)
        return read(event, *arguments)

    monkeypatch.setattr(chains, "_fault", fault)


def reports(capsys, *arguments: str) -> tuple[int, dict[str, dict[str, object]]]:
    """Exit code and the report of each chain."""
    code, printed = verified(capsys, "--json", *arguments)
    whole = json.loads(printed.splitlines()[0])
    return code, {report.pop("chain"): report for report in whole["chains"]}


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_goes_on_and_says_the_same(
    chain, tmp_path, capsys, monkeypatch, name
) -> None:
    file = tmp_path / "positions.json"
    before = signal.getsignal(name)
    whole = reports(capsys)
    assert whole[0] == 0
    stop_at(chain, 7, monkeypatch, name)
    code, printed = verified(capsys, "--resume", str(file))
    assert code == 4
    assert f"Stopped: {chain} verifies up to event 8; the rest was not read." in printed
    assert f"Go on with --resume {file}." in printed
    assert "Every chain verifies" not in printed
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert signal.getsignal(name) == before

    stop_at(chain, 11, monkeypatch)  # a second time, further on
    code, printed = verified(capsys, "--resume", str(file), "--json")
    stopped = json.loads(printed.splitlines()[0])
    assert (code, stopped["ok"], stopped["stopped"]["event"]) == (4, None, 12)

    resumed = reports(capsys, "--resume", str(file))
    assert resumed[1][chain].pop("verified_before") == 12
    assert not file.exists()
    for report in [*whole[1].values(), *resumed[1].values()]:
        report.pop("verified_before", None)
    assert resumed == whole


def test_without_a_file_nothing_is_kept_and_it_says_so(
    chain, capsys, monkeypatch
) -> None:
    stop_at(chain, 5, monkeypatch)
    code, printed = verified(capsys)
    assert code == 4
    assert "Nothing was kept: with --resume FILE it goes on where it was." in printed


def test_a_change_after_the_place_is_found_by_both(
    chain, owner_dsn, tmp_path, capsys, monkeypatch
) -> None:
    file = tmp_path / "positions.json"
    stop_at(chain, 5, monkeypatch)
    verified(capsys, "--resume", str(file))
    as_owner(owner_dsn, CHANGE, chain, 9)
    code, printed = verified(capsys, "--resume", str(file))
    assert (code, f"{chain}: event 9: its body was changed" in printed) == (1, True)
    assert verified(capsys)[0] == 1


def test_a_fault_that_was_read_before_the_stop_is_told_after_it(
    chain, owner_dsn, tmp_path, capsys, monkeypatch
) -> None:
    file = tmp_path / "positions.json"
    AuditEvent.objects.append(Event("test.noted"))  # its chain is read after the other
    as_owner(owner_dsn, CHANGE, chain, 2)
    stop_at(INSTANCE_CHAIN, 1, monkeypatch)
    assert verified(capsys, "--resume", str(file))[0] == 4
    code, printed = verified(capsys, "--resume", str(file))
    assert (code, f"{chain}: event 2: its body was changed" in printed) == (1, True)


def test_a_change_before_the_place_is_found_by_a_whole_run(
    chain, owner_dsn, tmp_path, capsys, monkeypatch
) -> None:
    file = tmp_path / "positions.json"
    stop_at(chain, 7, monkeypatch)
    verified(capsys, "--resume", str(file))
    as_owner(owner_dsn, CHANGE, chain, 3)
    code, printed = verified(capsys, "--resume", str(file))
    assert code == 0
    assert f"{chain}: events up to 8 were verified by a run that began" in printed
    assert "shows in a run without --resume" in printed
    code, printed = verified(capsys)
    assert (code, f"{chain}: event 3: its body was changed" in printed) == (1, True)


@pytest.mark.parametrize("kept", [3, 8, "all"])
def test_what_was_cut_out_before_the_place_is_found_by_a_resumed_run_too(
    chain, owner_dsn, tmp_path, capsys, monkeypatch, kept
) -> None:
    file = tmp_path / "positions.json"
    stop_at(chain, 7, monkeypatch)
    verified(capsys, "--resume", str(file))
    if kept == "all":
        cut_tail(owner_dsn, chain, AuditEvent.objects.filter(chain=chain).count())
    else:
        as_owner(owner_dsn, REMOVE, chain, kept)
    code, printed = verified(capsys, "--resume", str(file))
    missing = 1 if kept == "all" else kept
    assert code == 1
    assert f"{chain}: event {missing}: an event is missing that was verified" in printed


def test_a_file_that_is_not_ours_is_refused(
    chain, tmp_path, capsys, monkeypatch, settings
) -> None:
    file = tmp_path / "positions.json"
    stop_at(chain, 7, monkeypatch)
    verified(capsys, "--resume", str(file))
    kept = file.read_text()
    keys.rotate()  # what the key before signed still counts
    assert verified(capsys, "--resume", str(file))[0] == 0
    for content, sentence in (
        (kept.replace(",8,", ",9,").replace("8,", "9,", 1), "not by a key of this"),
        ("{}", "does not say how far an audit log was read"),
        ('{"statement": 1, "signature": "00"}', "does not say how far"),
    ):
        file.write_text(content)
        code, printed = verified(capsys, "--resume", str(file))
        assert (code, sentence in printed) == (2, True), printed
    settings.WORK_FOLDER = str(tmp_path / "another")
    file.write_text(kept)
    code, printed = verified(capsys, "--resume", str(file))
    assert (code, "not by a key of this installation" in printed) == (2, True)
