"""AU-04, AU-05: what is cut off the audit log's end, or written anew, is named."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command

from controls.models import AuditEvent, System, User
from controls.models.audit import INSTANCE_CHAIN, about
from evidence.signing import checkpoints, keys
from evidence.tasks import write_checkpoints

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path: Path) -> Path:
    settings.EVIDENCE_STORE = str(tmp_path / "store")
    settings.CHECKPOINT_FOLDER = str(tmp_path / "elsewhere")
    return tmp_path / "elsewhere"


def as_owner(dsn: str, statement: str, *values: object) -> None:
    """What only the owner of the tables can do: past every trigger."""
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(statement, values)


def cut_tail(dsn: str, chain: str, number: int) -> int:
    """Delete the last events of a chain; the number of the one it ends with now."""
    last = AuditEvent.objects.filter(chain=chain).latest("seq").seq - number
    as_owner(
        dsn, "DELETE FROM controls_auditevent WHERE chain=%s AND seq > %s", chain, last
    )
    return last


def verified(capsys, *arguments: str) -> tuple[int, str]:
    """Exit code and all that is printed."""
    code = 0
    try:
        call_command("audit_verify", *arguments)
    except SystemExit as ended:
        code = int(str(ended.code))
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def files_of(folder: Path, chain: str) -> list[Path]:
    return sorted((folder / chain).glob("*.json"))


def test_a_cut_tail_is_named_with_where_it_ended(
    system: System, oscar: User, owner_dsn, capsys, folder
) -> None:
    chain = str(system.uuid)
    write_checkpoints()
    assert verified(capsys)[0] == 0
    size = AuditEvent.objects.filter(chain=chain).latest("seq").seq
    last = cut_tail(owner_dsn, chain, 2)
    code, said = verified(capsys)
    assert code == 3
    assert f"{chain}: the tail was cut: it ends at event {last}, and had {size}" in said
    for _ in range(3):  # other events in place of those that were cut off
        AuditEvent.objects.append(about(system, "test.other", by=oscar))
    code, said = verified(capsys, "--json")
    assert code == 3
    (report,) = [r for r in json.loads(said)["chains"] if r["chain"] == chain]
    assert f"event {size} is not the one that was there" in report["contradiction"]
    assert report["broken_at"] is None
    write_checkpoints()  # does not hide it
    assert len(files_of(folder, chain)) == 1


def test_one_kept_elsewhere_tells_when_the_folder_was_emptied(
    system: System, owner_dsn, capsys, folder, tmp_path
) -> None:
    chain = str(system.uuid)
    write_checkpoints()
    kept = tmp_path / "mailed.json"
    files_of(folder, chain)[0].rename(kept)
    cut_tail(owner_dsn, chain, 1)
    assert verified(capsys)[0] == 0  # nothing tells it by itself
    code, said = verified(capsys, "--checkpoint", str(kept))
    assert (code, "the tail was cut" in said) == (3, True)


def test_the_older_name_names_the_first_bad_event(
    system: System, owner_dsn, capsys
) -> None:
    chain = str(system.uuid)
    write_checkpoints()
    statement = "UPDATE controls_auditevent SET body = '{}' WHERE chain=%s AND seq=2"
    as_owner(owner_dsn, statement, chain)
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit_log")
    assert ended.value.code == 1
    assert f"{chain}: event 2: its body was changed" in capsys.readouterr().out
    code, said = verified(capsys, "--json")
    (report,) = [r for r in json.loads(said)["chains"] if r["chain"] == chain]
    assert (code, report["broken_at"], report["why"]) == (
        1, 2, "its body was changed",
    )  # fmt: skip


def test_au_05_each_is_signed_names_the_one_before_and_is_not_overwritten(
    system: System, oscar: User, folder
) -> None:
    chain = str(system.uuid)
    write_checkpoints()
    write_checkpoints()  # nothing happened meanwhile
    (first,) = files_of(folder, chain)
    before = first.read_bytes()
    AuditEvent.objects.append(about(system, "test.more", by=oscar))
    keys.rotate()
    keys.rotate()
    write_checkpoints()
    _, second = files_of(folder, chain)
    assert first.read_bytes() == before
    known = keys.known_keys()
    older = checkpoints.read_checkpoint(before, known)
    newer = checkpoints.read_checkpoint(second.read_bytes(), known)
    digest = checkpoints.hashlib.sha256(older.statement.encode()).hexdigest()
    assert (older.previous, newer.previous) == ("", digest)
    assert newer.size == older.size + 1
    assert files_of(folder, INSTANCE_CHAIN)


@pytest.mark.parametrize("harm", ["bit", "signature", "text"])
def test_one_that_was_changed_is_refused(
    system: System, capsys, folder, tmp_path, harm
) -> None:
    write_checkpoints()
    text = files_of(folder, str(system.uuid))[0].read_text()
    sealed = json.loads(text)
    if harm == "bit":
        sealed["statement"] = sealed["statement"].replace('"size":', '"size":1')
    elif harm == "signature":
        sealed["signature"] = "00" * 64
    changed = tmp_path / "changed.json"
    changed.write_text("nothing" if harm == "text" else json.dumps(sealed))
    code, said = verified(capsys, "--checkpoint", str(changed))
    assert code == 2
    expected = (
        "no checkpoint" if harm == "text" else "not by a key of this installation"
    )
    assert expected in said


def test_one_of_another_installation_is_refused(
    system: System, capsys, folder, tmp_path, monkeypatch
) -> None:
    """By its key; and with the same key, as after a copy, by its first event."""
    point = checkpoints.Checkpoint(
        str(system.uuid), 1, "0" * 64, "2026-11-23T09:00:00+00:00", "f" * 64, ""
    )
    foreign = tmp_path / "foreign.json"
    foreign.write_bytes(checkpoints.sealed_file(point))
    code, said = verified(capsys, "--checkpoint", str(foreign))
    assert (code, "of another installation" in said) == (2, True)
    (tmp_path / "store" / "keys").rename(tmp_path / "their-keys")
    code, said = verified(capsys, "--checkpoint", str(foreign))
    assert (code, "another installation's" in said) == (2, True)


def test_a_file_that_is_not_there_is_wrong_use(capsys) -> None:
    code, said = verified(capsys, "--checkpoint", "/no/such/file")
    assert (code, said) == (2, "/no/such/file: No such file or directory.\n")


def test_au_05_events_that_wait_too_long_for_one_are_told(
    system: System, capsys, monkeypatch
) -> None:
    """The task stands still while the clock goes on."""
    code, said = verified(capsys)
    assert (code, "have no checkpoint" in said) == (0, False)
    later = checkpoints.knowledge_now() + dt.timedelta(hours=4)
    monkeypatch.setattr("evidence.signing.alarms.knowledge_now", lambda: later)
    code, said = verified(capsys)
    assert (code, "have no checkpoint" in said) == (0, True)
    write_checkpoints()
    assert "have no checkpoint" not in verified(capsys)[1]


def test_a_place_that_cannot_be_written_stops_nothing(
    system: System, settings, tmp_path, caplog
) -> None:
    (tmp_path / "a-file").write_text("in the way")
    settings.CHECKPOINT_FOLDER = str(tmp_path / "a-file")
    write_checkpoints()
    assert "A checkpoint of the audit log was not written" in caplog.text
