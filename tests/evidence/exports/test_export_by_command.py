"""`manage.py export`: the same files without the web, whole or not at all (RE-07)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from controls.models import AuditEvent
from evidence.exports.formats import FORMATS
from evidence.exports.jobs import make_export, open_file, request_export
from tests.disks import small_disk
from tests.evidence.exports import everything
from tests.evidence.house import TODAY, House

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    return everything.build(settings, tmp_path / "store")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "out"
    path.mkdir()
    return path


def refused(capsys: Any, *arguments: Any) -> str:
    """What it says on wrong use; its exit code is 2."""
    with pytest.raises(SystemExit) as ended:
        call_command("export", *arguments)
    assert ended.value.code == 2
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("format_name", FORMATS)
def test_it_writes_the_bytes_of_the_web(house, folder, capsys, format_name) -> None:
    export = request_export(
        house.system, by=house.ray, on=TODAY, format_name=format_name
    )
    make_export(export.pk)
    export.refresh_from_db()
    target = folder / "status"
    clocks = ["--as-of", str(TODAY), "--known-at", export.known_at.isoformat()]
    call_command("export", "shop", format_name, "--output", str(target), *clocks)
    with open_file(export) as file:
        assert target.read_bytes() == file.read()
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    assert capsys.readouterr().out == f"{digest}  {target}\n"
    assert list(folder.iterdir()) == [target]


@pytest.mark.parametrize("format_name", FORMATS)
def test_without_clocks_it_is_about_now(house, folder, format_name) -> None:
    target = folder / "status"
    call_command("export", "shop", format_name, "--output", str(target))
    assert target.stat().st_size > 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["shop", "csv", "--as-of", "2026-11-24"], "That day has not come yet."),
        (["shop", "csv", "--as-of", "2026-02-30"], "is not a day such as"),
        (["shop", "csv", "--as-of", "2020-01-01"], "Nothing of this system was"),
        (["shop", "csv", "--known-at", "2027-01-01T00:00:00Z"], "has not come yet."),
        (["shop", "csv", "--known-at", "2026-11-01"], "is not an instant"),
        (
            ["shop", "csv", "--window-from=2026-11-01", "--window-to=2026-10-01"],
            "The window ends before it starts.",
        ),
        (["nowhere", "csv"], "There is no system “nowhere”. Known: shop."),
    ],
)
def test_wrong_use_is_named_and_writes_nothing(
    house, folder, capsys, arguments, sentence
) -> None:
    target = folder / "status.csv"
    assert sentence in refused(capsys, *arguments, "--output", str(target))
    assert list(folder.iterdir()) == []


def test_where_nothing_can_be_written_is_named(house, folder, capsys) -> None:
    missing = str(folder / "not" / "there.csv")
    sentence = f"There is no folder {folder / 'not'}."
    assert sentence in refused(capsys, "shop", "csv", "--output", missing)
    sentence = f"{folder} is a folder: name a file in it."
    assert sentence in refused(capsys, "shop", "csv", "--output", str(folder))


def test_a_format_that_does_not_exist_names_those_that_do(house, folder) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("export", "shop", "docx", "--output", str(folder / "a"))
    for name in FORMATS:
        assert name in str(refusal.value)


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_full_disk_leaves_what_was_there(house, tmp_path, format_name) -> None:
    """RE-07: a file of the same name stays as it was, and nothing lies beside it."""
    with small_disk(tmp_path / "disk") as disk:
        target = disk.folder / "status"
        target.write_text("of last month")
        disk.fill()
        with pytest.raises(CommandError) as failure:
            call_command("export", "shop", format_name, "--output", str(target))
        sentence = f"There is no space left for {target}; nothing was written."
        assert str(failure.value) == sentence
        assert target.read_text() == "of last month"
        assert {path.name for path in disk.folder.iterdir()} == {"status", "ballast"}


def test_au_01_what_was_written_is_in_the_audit_log(house, folder) -> None:
    target = folder / "status"
    call_command("export", "shop", "csv", "--output", str(target))
    event = AuditEvent.objects.get(verb="export.written")
    assert (event.chain, event.actor) == (str(house.system.uuid), None)
    assert json.loads(event.body)["format"] == "csv"
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    assert json.loads(event.body)["sha256"] == digest
