"""AU-08: an operator learns whether the store holds what the records say."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from pathlib import Path

import psycopg
import pytest
from botocore.exceptions import ClientError
from django.core.management import CommandError, call_command

from controls import clock
from controls.models import AuditEvent
from evidence.models import Blob, EvidenceFile, SpillRemoval, StoreCheck
from evidence.storage import LocalStore, fsck, open_store
from evidence.storage.exclusive import CHECKING, LOCK_CLASS
from evidence.storage.fsck import Pace, StoreReport, check_store
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import submitted

# the age of a file is told by the clock of the machine
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("machine_time")]
TEXTS = ("first proof", "second proof", "third proof")


@pytest.fixture
def folder(settings, tmp_path: Path) -> LocalStore:
    settings.EVIDENCE_STORE = str(tmp_path)
    return LocalStore(tmp_path)


@pytest.fixture
def blobs(folder) -> list[Blob]:
    """Three pieces of evidence, by digest."""
    house = houses.build()
    for text in TEXTS:
        submitted(house, text)
    return list(Blob.objects.order_by("sha256"))


def kinds(report: StoreReport) -> list[str]:
    return [each.kind for each in report.findings]


def check(**options: object) -> StoreReport:
    return check_store(instant=clock.now(), **options)


def run(capsys, *options: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command."""
    code = 0
    try:
        call_command("evidence_fsck", *options)
    except SystemExit as left:
        code = int(left.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


def make_old(path: Path) -> None:
    old = time.time() - 25 * 3600
    os.utime(path, (old, old))


def test_a_clean_store_is_said_and_recorded(blobs, capsys):
    code, out, _ = run(capsys)
    assert (code, out) == (0, "3 blobs checked, 0 findings.\n")
    event = AuditEvent.objects.get(verb="evidence.checked")
    assert event.chain == "instance"
    body = json.loads(event.body)
    assert (body["checked"], body["found"]) == (3, {})


def test_one_flipped_bit_is_corrupt(blobs, folder):
    path = folder.path_of(blobs[0].sha256)
    body = bytearray(path.read_bytes())
    body[3] ^= 1
    path.write_bytes(body)
    (found,) = check().findings
    assert (found.kind, found.sha256) == ("corrupt", blobs[0].sha256)
    file = EvidenceFile.objects.get(blob=blobs[0])
    assert found.evidence == [str(file.revision.evidence.uuid)]


def test_cut_short_it_has_the_wrong_size(blobs, folder):
    path = folder.path_of(blobs[1].sha256)
    path.write_bytes(path.read_bytes()[:-1])
    (found,) = check().findings
    size = blobs[1].size_bytes
    assert found.kind == "wrong-size"
    assert found.what == f"There are {size - 1} bytes instead of {size}."


def test_deleted_it_is_missing(blobs, folder):
    folder.path_of(blobs[2].sha256).unlink()
    assert kinds(check()) == ["missing"]


def test_without_read_permission_it_is_unreadable(blobs, folder):
    path = folder.path_of(blobs[0].sha256)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root reads what mode 000 forbids")
    assert kinds(check()) == ["unreadable"]


@pytest.mark.parametrize("planted", ["folder", "link"])
def test_what_is_no_file_is_unreadable(blobs, folder, planted):
    path = folder.path_of(blobs[0].sha256)
    path.unlink()
    path.mkdir() if planted == "folder" else path.symlink_to("/etc/hostname")
    assert kinds(check()) == ["unreadable"]


def test_strays_are_orphans_once_they_are_a_day_old(blobs, folder):
    stored = folder.put([b"nobody's"], limit=99)
    (folder.root / "notes.txt").write_text("x")
    (folder.root / "ab").mkdir(exist_ok=True)
    (folder.root / "ab" / "x.bak").write_text("x")
    assert kinds(check()) == []
    assert kinds(check(all_ages=True)) == ["orphan"] * 3
    make_old(folder.path_of(stored.sha256))
    (found,) = check().findings
    assert (found.kind, found.sha256, found.evidence) == ("orphan", stored.sha256, [])


def test_exports_and_uploads_under_way_are_no_strays(blobs, folder):
    for name in ("exports", "incoming"):
        (folder.root / name).mkdir(exist_ok=True)
        (folder.root / name / "file").write_text("x")
    assert kinds(check(all_ages=True)) == []


def test_removed_spills_are_no_findings_unless_they_come_back(blobs, folder):
    day_before = clock.now() - fsck.DAY * 2
    file = EvidenceFile.objects.get(blob=blobs[0])
    SpillRemoval.objects.create(
        system=file.revision.evidence.system,
        file=file,
        reason="A key",
        requested_by=factories.make_user("asks"),
        decided_by=factories.make_user("approves"),
        state="approved",
    )
    Blob.objects.filter(pk=blobs[0].pk).update(purged_at=day_before)
    assert kinds(check()) == ["returned"]
    folder.path_of(blobs[0].sha256).unlink()
    assert check() == StoreReport(2, [])


def test_one_json_object_and_exit_code_1(blobs, folder, capsys):
    folder.path_of(blobs[0].sha256).unlink()
    code, out, _ = run(capsys, "--json")
    said = json.loads(out)
    assert code == 1
    assert said["checked"] == 3
    (found,) = said["findings"]
    assert set(found) == {"kind", "sha256", "what", "evidence"}
    code, out, _ = run(capsys)
    assert code == 1
    assert f"missing    {blobs[0].sha256} The bytes are not in the store. (evid" in out


def test_broken_off_it_goes_on_where_it_was(blobs, folder, monkeypatch, capsys):
    folder.path_of(blobs[0].sha256).unlink()
    real, seen = fsck.examine, []

    def interrupted(store, blob, pace):
        seen.append(blob.sha256)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return real(store, blob, pace)

    monkeypatch.setattr(fsck, "examine", interrupted)
    with pytest.raises(KeyboardInterrupt):
        check()
    assert StoreCheck.objects.get().last_sha256 == blobs[1].sha256
    assert not AuditEvent.objects.filter(verb="evidence.checked").exists()
    code, out, _ = run(capsys, "--resume", "--json")
    assert seen == [blob.sha256 for blob in blobs] + [blobs[2].sha256]
    said = json.loads(out)
    assert (code, said["checked"]) == (1, 3)
    assert said["resumed_after"] == blobs[1].sha256
    assert [each["kind"] for each in said["findings"]] == ["missing"]
    assert not StoreCheck.objects.exists()


def test_without_resume_it_begins_anew(blobs):
    StoreCheck.objects.create(pk=1, last_sha256=blobs[2].sha256, checked=3)
    assert check().checked == 3
    assert asdict(check(resume=True))["resumed_after"] == ""


def test_it_reads_no_faster_than_asked(monkeypatch):
    clock, slept = [100.0], []
    monkeypatch.setattr(fsck.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(fsck.time, "sleep", slept.append)
    pace = Pace(1000)
    pace.spend(500)
    clock[0] = 102.0
    pace.spend(500)
    assert slept == [0.5, 0.0]


@pytest.mark.parametrize("rate", ["0", "-1", "fast", "inf", "nan"])
def test_a_rate_that_is_none_is_wrong_use(rate):
    with pytest.raises(CommandError, match="no rate"):  # exit 2 from the shell
        call_command("evidence_fsck", "--rate", rate)


def test_a_rate_is_taken_in_megabytes(blobs, capsys):
    assert run(capsys, "--rate", "50")[0] == 0


@pytest.mark.django_db(transaction=True)
def test_only_one_runs_at_a_time(folder, owner_dsn, capsys):
    with psycopg.connect(owner_dsn) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK_CLASS, CHECKING])
        code, _, err = run(capsys)
        other.execute("SELECT pg_advisory_unlock_all()")
    assert code == 2
    assert "Another process" in err
    assert run(capsys)[0] == 0


def test_in_a_bucket_the_same_is_found(bucket, capsys):
    house = houses.build()
    for text in (*TEXTS, "fourth"):
        submitted(house, text)
    first, second, third, _ = Blob.objects.order_by("sha256")
    keys = [f"proof/{b.sha256[:2]}/{b.sha256}" for b in (first, second, third)]
    bucket.client.delete_object(Bucket=bucket.name, Key=keys[0])
    bucket.overwrite(keys[1], b"x" * second.size_bytes)
    bucket.overwrite(keys[2], b"x")
    bucket.overwrite("proof/stray", b"x")
    found = {each.sha256: each.kind for each in check(all_ages=True).findings}
    assert found == {
        first.sha256: "missing",
        second.sha256: "corrupt",
        third.sha256: "wrong-size",
        "": "orphan",
    }
    assert open_store().has(second.sha256)


def test_an_object_that_is_not_given_out_is_unreadable(bucket, monkeypatch):
    submitted(houses.build(), "proof")

    def refused(*args: object, **kwargs: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")

    monkeypatch.setattr(open_store().client, "get_object", refused)
    (found,) = check().findings
    assert found.kind == "unreadable"
    assert "AccessDenied" in found.what


def test_a_bucket_that_does_not_answer_is_exit_2(bucket, settings, capsys):
    houses.build()
    settings.EVIDENCE_S3_ENDPOINT = "http://127.0.0.1:9"
    code, out, err = run(capsys)
    assert (code, out) == (2, "")
    assert "does not answer" in err
    assert not AuditEvent.objects.filter(verb="evidence.checked").exists()
