"""AC-03: of other teams' evidence every format tells what the control's page tells."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from controls.models import User
from evidence.exports.formats import FORMATS
from evidence.exports.jobs import make_export, open_file, request_export
from evidence.exports.rows.readers import NOT_VISIBLE, OTHER_TEAMS_FILE
from evidence.models import Blob, EvidenceFile, EvidenceLink
from evidence.storage import open_store
from tests.evidence.exports import everything
from tests.evidence.house import TODAY, House

pytestmark = pytest.mark.django_db(transaction=True)
# In files of the platform team, to which bob does not belong.
NAME, ITEM, SOURCE = "salaries-of-admins.txt", "CHG-2", "Tickets"
TITLE = everything.ARABIC  # of the same team's evidence


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    built = everything.build(settings, tmp_path / "store")
    everything.with_population(built)
    kept = open_store().put([b"Nobody."], limit=100)
    blob = Blob.objects.create(
        sha256=kept.sha256, size_bytes=kept.size_bytes, media_type="text/plain"
    )
    link = EvidenceLink.objects.filter(state="accepted").latest("pk")
    EvidenceFile.objects.create(
        revision=link.revision, blob=blob, name=NAME, position=2
    )
    return built


def made(house: House, format_name: str, by: User) -> bytes:
    """The bytes of an export that somebody asked for, about today."""
    export = request_export(house.system, by=by, on=TODAY, format_name=format_name)
    make_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.failure) == ("done", "")
    with open_file(export) as file:
        return file.read()


def text_of(data: bytes) -> str:
    """All that stands in a file, in zips within it as well."""
    if not data.startswith(b"PK"):
        return data.decode(errors="replace")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return "\n".join(
            f"{name}\n{text_of(archive.read(name))}" for name in archive.namelist()
        )


def told(house: House, format_name: str, name: str) -> set[str]:
    """Which of the words somebody is told by a format."""
    text = text_of(made(house, format_name, house.people[name]))
    if format_name.startswith("oscal"):  # its letters may be escaped
        text = json.dumps(json.loads(text), ensure_ascii=False)
    return {word for word in (NAME, ITEM, SOURCE, TITLE) if word in text}


@pytest.mark.parametrize("format_name", sorted({*FORMATS} - {"package", "pdf"}))
def test_no_format_tells_a_contributor_what_other_teams_files_hold(
    house, format_name
) -> None:
    assert told(house, format_name, "bob") <= {TITLE}


@pytest.mark.parametrize(
    ("format_name", "whole"),
    [
        ("xlsx", {NAME, ITEM, SOURCE, TITLE}),
        ("oscal-assessment-results", {NAME, TITLE}),
    ],
)
def test_each_role_is_told_what_its_pages_show(house, format_name, whole) -> None:
    for name in ("olivia", "rita", "audrey", "ray", "alice"):
        assert told(house, format_name, name) == whole, name
    assert told(house, format_name, "bob") == {TITLE}
    text = text_of(made(house, format_name, house.bob))
    assert (NOT_VISIBLE if format_name == "xlsx" else OTHER_TEAMS_FILE) in text


def test_a_package_tells_no_more_than_its_reader_may_open(house) -> None:
    assert told(house, "package", "alice") == {NAME, ITEM, SOURCE, TITLE}
    assert told(house, "package", "bob") == {TITLE}
    text = text_of(made(house, "package", house.bob))
    assert OTHER_TEAMS_FILE in text
    assert NOT_VISIBLE in text
