"""RE-11: nothing is half restored, and nothing half backed up.

A set that is not as it was made is refused before anything is written; so is a machine
that is not empty.
"""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from evidence.backup import make
from evidence.backup.dump import DumpFailed, is_empty
from evidence.backup.make import make_backup
from evidence.backup.manifest import BrokenSet
from evidence.backup.restore import restore_backup
from evidence.models import Blob
from evidence.storage import LocalStore, open_store
from tests.evidence import house as houses
from tests.evidence.backup.machines import Machine, as_owner_of, empty_machine
from tests.evidence.house import House, submitted

pytestmark = pytest.mark.django_db(transaction=True)
TEXTS = ("first proof", "second proof", "third proof")


def quietly(done: int, total: int) -> None:
    """For whoever shows nothing on the way."""


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path / "store")
    house = houses.build()
    for text in TEXTS:
        submitted(house, text)
    return house


@pytest.fixture
def made(house, as_owner, tmp_path: Path) -> Path:
    """A good set, as a folder."""
    with as_owner():
        make_backup(tmp_path / "set", progress=quietly)
    return tmp_path / "set"


@pytest.fixture
def empty(settings, made, tmp_path: Path) -> Iterator[Machine]:
    """This process, on a machine on which nothing was done."""
    with empty_machine(tmp_path / "new store") as machine:
        settings.EVIDENCE_STORE = str(machine.store)
        with as_owner_of(machine.database):
            yield machine


def as_tar(folder: Path) -> Path:
    """The files of a set as one tar, in the order in which `backup` writes them."""
    blobs = sorted(str(path.relative_to(folder)) for path in folder.glob("blobs/*/*"))
    target = folder.with_suffix(".tar")
    with tarfile.open(target, "w") as tar:
        for name in ("database.dump", *blobs, "files.jsonl", "manifest.json"):
            tar.add(folder / name, arcname=name)
    return target


def first_blob(folder: Path) -> Path:
    return min(folder.glob("blobs/*/*"))


def flip(path: Path) -> None:
    """Change one bit in the middle."""
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def fewer_blobs(folder: Path) -> None:
    """Take a blob away, and its line: the manifest still counts it."""
    lines = (folder / "files.jsonl").read_text().splitlines(keepends=True)
    (folder / "files.jsonl").write_text("".join(lines[:-1]))


def changed_manifest(**facts: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | facts))

    return change


SPOILT: dict[str, Callable[[Path], object]] = {
    "a bit of evidence": lambda folder: flip(first_blob(folder)),
    "a bit of the database": lambda folder: flip(folder / "database.dump"),
    "a bit of the list": lambda folder: flip(folder / "files.jsonl"),
    "evidence cut short": lambda folder: cut(first_blob(folder)),
    "a shorter list": fewer_blobs,
    "another count": changed_manifest(blobs=2),
    "a format to come": changed_manifest(srm_backup=2),
    "no such manifest": lambda folder: (folder / "manifest.json").write_text("{}"),
}


def refused(source: Path, kind: type[ValidationError] = BrokenSet) -> str:
    """The sentence; nothing was written."""
    with pytest.raises(kind) as refusal:
        restore_backup(source, progress=quietly)
    assert is_empty()
    assert list(open_store().everything()) == []
    return " ".join(refusal.value.messages)


@pytest.mark.parametrize("name", SPOILT)
@pytest.mark.parametrize("as_one_file", [False, True], ids=["folder", "tar"])
def test_a_spoilt_set_is_refused(made, empty, name, as_one_file) -> None:
    SPOILT[name](made)
    assert refused(as_tar(made) if as_one_file else made)


def test_a_missing_file_is_named(made, empty) -> None:
    lost = first_blob(made)
    lost.unlink()
    name = str(lost.relative_to(made))
    assert refused(made) == (
        f"{name} of the set cannot be read: No such file or directory."
    )


def test_a_tar_that_is_cut_anywhere_is_refused(made, empty) -> None:
    tar = as_tar(made)
    whole = tar.read_bytes()
    end = whole.rindex(b"}")  # of the manifest; what follows is padding
    for length in range(0, end, end // 7):
        tar.write_bytes(whole[:length])
        refused(tar)


def test_what_no_backup_writes_is_refused(made, empty) -> None:
    (made / "notes.txt").write_text("mine")
    tar = as_tar(made)
    with tarfile.open(tar, "a") as file:
        file.add(made / "notes.txt", arcname="../notes.txt")
    assert "manifest.json of the set" in refused(tar)
    lost = first_blob(made)
    shutil.move(lost, made / "elsewhere")
    lost.symlink_to(made / "elsewhere")
    assert "cannot be read" in refused(made)


def test_a_backup_of_newer_code_is_refused(made, empty) -> None:
    manifest = json.loads((made / "manifest.json").read_text())
    newer = [*manifest["migrations"], "evidence.9999_of_tomorrow"]
    changed_manifest(migrations=newer)(made)
    sentence = refused(made, ValidationError)
    assert "A newer version of SRM made this backup: evidence.9999" in sentence


def test_a_database_with_tables_is_refused(made, empty) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE somebodys (id int)")
    with pytest.raises(ValidationError, match="The database has tables already"):
        restore_backup(made, progress=quietly)
    with pytest.raises(CommandError, match="Make a new database"):
        call_command("restore", str(made))
    assert list(open_store().everything()) == []


def test_a_store_with_other_bytes_is_refused(made, empty) -> None:
    stored = open_store().put([b"somebody's"], limit=99)
    with pytest.raises(ValidationError, match=f"holds {stored.sha256[:2]}/"):
        restore_backup(made, progress=quietly)
    assert is_empty()


def test_what_broke_off_is_taken_up_again(made, empty, monkeypatch) -> None:
    """Bytes are in the store by then, and no row of the database."""

    def killed(source: Path) -> None:
        raise DumpFailed("The server went away.")

    with monkeypatch.context() as patch:
        patch.setattr("evidence.backup.dump.load_from", killed)
        with pytest.raises(DumpFailed):
            restore_backup(made, progress=quietly)
    assert is_empty()
    assert len(list(open_store().everything())) == len(TEXTS)
    assert restore_backup(made, progress=quietly).differences == []
    assert Blob.objects.count() == len(TEXTS)


def test_what_broke_off_is_not_believed(made, empty) -> None:
    """Other bytes of the same length under a digest of the set."""
    folder = LocalStore(empty.store)
    blob = first_blob(made)
    target = folder.path_of(blob.name)
    target.parent.mkdir()
    shutil.copy(blob, target)
    flip(target)
    with pytest.raises(ValidationError, match="holds other bytes under"):
        restore_backup(made, progress=quietly)
    assert is_empty()


# --- making one -----------------------------------------------------------------


def nothing_made(tmp_path: Path) -> bool:
    """Whether only the store lies there."""
    return [path.name for path in tmp_path.iterdir()] == ["store"]


@pytest.mark.parametrize("name", ["set", "set.tar"])
def test_broken_bytes_are_not_backed_up(house, as_owner, tmp_path, name) -> None:
    """Refused, unless they are to be left out; then the set says so."""
    target = tmp_path / name
    broken, gone = Blob.objects.order_by("sha256")[:2]
    store = LocalStore(tmp_path / "store")
    flip(store.path_of(broken.sha256))
    with as_owner():
        with pytest.raises(ValidationError, match="other bytes lie there"):
            make_backup(target, progress=quietly)
        assert nothing_made(tmp_path)
        store.path_of(gone.sha256).unlink()
        made = make_backup(target, progress=quietly, leave_out_broken=True)
    assert made.manifest.left_out == [broken.sha256, gone.sha256]
    assert made.manifest.blobs == 1
    with empty_machine(tmp_path / "new store") as machine:
        finished = machine.manage("restore", str(target))
        assert finished.returncode == 1
        assert f"The evidence {gone.sha256} is not in the backup" in finished.stderr


def test_a_target_that_is_there_is_left_alone(house, as_owner, tmp_path) -> None:
    (tmp_path / "set").mkdir()
    with as_owner():
        with pytest.raises(CommandError, match="is there already: name a new folder"):
            call_command("backup", str(tmp_path / "set"))
        with pytest.raises(CommandError, match="There is no folder"):
            call_command("backup", str(tmp_path / "not" / "there"))
    assert list((tmp_path / "set").iterdir()) == []


def test_what_others_write_meanwhile_is_not_in_it(house, as_owner, tmp_path) -> None:
    """They are not held up, and the set is of one moment."""
    late: list[str] = []

    def submit_more(done: int, total: int) -> None:
        if not late:
            late.append(submitted(house, "late").revision.files.get().blob.sha256)

    with as_owner():
        made = make_backup(tmp_path / "set", progress=submit_more)
    assert made.manifest.blobs == len(TEXTS)
    with empty_machine(tmp_path / "new store") as machine:
        machine.done("restore", str(tmp_path / "set"))
        with machine.app() as app:
            kept = {row[0] for row in app.execute("SELECT sha256 FROM evidence_blob")}
    assert late[0] not in kept
    assert kept == set(Blob.objects.values_list("sha256", flat=True)) - {*late}


def test_it_waits_for_who_began_before(
    house, app_dsn, as_owner, tmp_path, monkeypatch
) -> None:
    """Their rows are of before the moment that the set names, and would lack in it."""
    monkeypatch.setattr(make, "MAX_WAIT", 0.3)
    with psycopg.connect(app_dsn) as writer:
        writer.execute("UPDATE controls_team SET name = name || '!'")
        with as_owner(), pytest.raises(ValidationError, match="Try again when it is"):
            make_backup(tmp_path / "set", progress=quietly)
    with as_owner():
        make_backup(tmp_path / "set", progress=quietly)
    assert transaction.get_autocommit()
