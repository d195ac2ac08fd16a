"""An officer of the installation imports the official text, from a file or from NIST.

IN-01, R31: an edition is kept whole or not at all, and what pages show of a day as it
was known then is the edition that was imported by then. NIST's address is played by a
server of this machine; the words are made up (`tests/oscal_catalog.py`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test import Client
from django.urls import reverse

from controls import clock
from controls.models import AuditEvent, Control, ControlText, ControlTextEdition
from tests.evidence import house as houses
from tests.oscal_catalog import as_bytes, catalog, control_in, part_in

pytestmark = pytest.mark.django_db
DOOR = "/control-text/"
PAGE = "/systems/shop/controls/cm-8/"


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> houses.House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def olivia(client: Client, house: houses.House) -> Client:
    client.force_login(house.olivia)
    return client


def run(source: object) -> tuple[str, str, int]:
    """What the command writes, of what went wrong, and its exit code."""
    out, err = StringIO(), StringIO()
    try:
        call_command("import_control_text", str(source), stdout=out, stderr=err)
    except SystemExit as end:
        return out.getvalue(), err.getvalue(), int(str(end.code))
    return out.getvalue(), err.getvalue(), 0


def send(browser: Client, content: bytes, name: str = "catalog.json") -> Any:
    return browser.post(DOOR, {"file": SimpleUploadedFile(name, content)}, follow=True)


@pytest.fixture
def publisher(settings: Any) -> Iterator[dict[str, Any]]:
    """A web server in NIST's place: what it answers, and how often it was asked."""
    state: dict[str, Any] = {"status": 200, "body": b"", "visits": 0, "headers": {}}

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state["visits"] += 1
            self.send_response(state["status"])
            for name, value in state["headers"].items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(state["body"])))
            self.end_headers()
            self.wfile.write(state["body"])

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.CONTROL_TEXT_ADDRESS = f"http://127.0.0.1:{server.server_port}/c.json"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


def publish(publisher: dict[str, Any], settings: Any, content: bytes) -> None:
    publisher["body"] = content
    settings.CONTROL_TEXT_SHA256 = hashlib.sha256(content).hexdigest()


def test_an_officer_sends_the_file_and_every_control_shows_its_words(olivia) -> None:
    assert "The official text is not imported." in olivia.get(PAGE).content.decode()
    content = as_bytes(catalog())

    answer = send(olivia, content)

    shown = answer.content.decode()
    live = Control.objects.live().count()
    assert f"The text of {live:,} controls is imported (edition 5.2.0)" in shown
    assert "another file than the published one" in shown
    edition = ControlTextEdition.objects.get()
    assert (edition.sha256, edition.size) == (
        hashlib.sha256(content).hexdigest(),
        len(content),
    )
    assert ControlText.objects.filter(edition=edition).count() == live
    event = AuditEvent.objects.get(verb="control_text.imported")
    assert (event.actor.name, event.subject_uuid) == ("Olivia", edition.uuid)
    page = olivia.get(PAGE).content.decode()
    assert "Words about CM-8 that were made for a test" in page
    assert "Imported from catalog.json on 2026-11-23" in page


def test_the_same_file_again_changes_nothing(olivia, tmp_path) -> None:
    content = as_bytes(catalog())
    send(olivia, content)
    again = send(olivia, content, name="another-name.json").content.decode()
    assert "This file is the edition shown already (5.2.0)." in again
    path = tmp_path / "c.json"
    path.write_bytes(content)
    out, _, code = run(path)
    assert (code, "Nothing to change" in out) == (0, True)
    assert ControlTextEdition.objects.count() == 1
    assert AuditEvent.objects.filter(verb="control_text.imported").count() == 1


def test_the_command_imports_from_a_path(house, tmp_path, client) -> None:
    path = tmp_path / "my catalog.json"
    path.write_bytes(as_bytes(catalog()))
    out, _, code = run(path)
    assert code == 0
    assert out.startswith(f"Imported the text of {Control.objects.live().count():,}")
    edition = ControlTextEdition.objects.get()
    assert (edition.source, edition.imported_by) == ("my catalog.json", None)
    client.force_login(house.ray)
    assert "Words about CM-8" in client.get(PAGE).content.decode()


@pytest.mark.parametrize("door", ["page", "command"])
def test_the_published_file_is_fetched_and_held_against_its_digest(
    door, olivia, publisher, settings
) -> None:
    publish(publisher, settings, as_bytes(catalog()))
    if door == "page":
        shown = olivia.post(DOOR, {"official": "yes"}, follow=True).content.decode()
        assert "as published" in shown
    else:
        assert run("official")[2] == 0
    edition = ControlTextEdition.objects.get()
    assert edition.is_published
    assert edition.source == settings.CONTROL_TEXT_ADDRESS
    assert "not the published" not in olivia.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("other bytes", "holds another file than the one this version of SRM"),
        ("not there", "answers 404"),
        ("leads elsewhere", "answers 302"),
        ("too long", "The file is larger than 25 MB"),
        ("away", "cannot be reached"),
        ("no web address", "CONTROL_TEXT_ADDRESS is no web address"),
    ],
)
def test_what_is_not_the_published_file_is_not_taken(
    fault, sentence, olivia, publisher, settings, monkeypatch
) -> None:
    publish(publisher, settings, as_bytes(catalog()))
    if fault == "other bytes":
        publisher["body"] += b" "
    elif fault == "not there":
        publisher["status"] = 404
    elif fault == "leads elsewhere":
        publisher["status"] = 302
        publisher["headers"] = {"Location": settings.CONTROL_TEXT_ADDRESS + "?2"}
    elif fault == "too long":
        publisher["body"] = b" " * 25_000_001
    elif fault == "away":
        settings.CONTROL_TEXT_ADDRESS = "http://127.0.0.1:9/c.json"
    else:
        settings.CONTROL_TEXT_ADDRESS = "file:///etc/passwd"

    answer = olivia.post(DOOR, {"official": "yes"})
    out, err, code = run("official")

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert (sentence in err, out, code) == (True, "", 1)
    assert publisher["visits"] <= 2  # nothing follows where it leads
    assert not ControlTextEdition.objects.exists()


def test_a_path_that_cannot_be_read_is_named(db, tmp_path) -> None:
    _, err, code = run(tmp_path / "none.json")
    assert code == 1
    assert "none.json cannot be read: No such file or directory" in err


def test_another_edition_of_the_same_parts_is_a_version_of_its_own(olivia) -> None:
    """R31: about a day as known then, the words that were known then."""
    before = clock.now()
    send(olivia, as_bytes(catalog()))
    between = clock.now()
    send(olivia, as_bytes(catalog("5.2.1", "Other words about {label}")))

    assert "Other words about CM-8" in olivia.get(PAGE).content.decode()
    then = {"known_at": between.isoformat()}
    as_known = olivia.get(PAGE, then).content.decode()
    assert "Words about CM-8 that were made for a test" in as_known
    assert "Other words" not in as_known
    at_first = olivia.get(PAGE, {"known_at": before.isoformat()}).content.decode()
    assert "The official text was not imported by then." in at_first
    about_a_past_day = {"on": "2026-06-30"}
    assert "Other words" in olivia.get(PAGE, about_a_past_day).content.decode()
    # going back to the first file is a third version: nothing before it changes
    send(olivia, as_bytes(catalog()))
    assert "Words about CM-8" in olivia.get(PAGE).content.decode()
    versions = ControlTextEdition.objects.for_listing().values_list(
        "version", flat=True
    )
    assert list(versions) == ["5.2.0", "5.2.1", "5.2.0"]


def test_an_edition_of_other_controls_or_parts_is_refused_whole(olivia) -> None:
    """R5: readings and statuses are about our parts; text of others would mislead."""
    lacking = catalog("5.1.1")
    group = lacking["catalog"]["groups"][0]
    group["controls"] = [
        c for c in group["controls"] if c["id"] not in ("ac-2", "ac-3")
    ]
    shown = send(olivia, as_bytes(lacking)).content.decode()
    assert "This is edition 5.1.1 of “Made-up controls”. It lacks" in shown
    assert "AC-2, AC-2(1)" in shown

    more = catalog("6")
    part_in(control_in(more, "ac-2"), "ac-2_smt")["parts"].append(
        {"id": "ac-2_smt.m", "name": "item", "prose": "One more."}
    )
    shown = send(olivia, as_bytes(more)).content.decode()
    assert "1 control has other parts there" in shown
    assert "AC-2. Nothing was imported." in shown
    assert not ControlTextEdition.objects.exists()
    assert not ControlText.objects.exists()


@pytest.mark.parametrize("model", [ControlTextEdition, ControlText])
@pytest.mark.parametrize("verb", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_the_database_lets_nobody_change_what_was_imported(olivia, model, verb) -> None:
    send(olivia, as_bytes(catalog()))
    statement = verb.format(model._meta.db_table)
    with (
        pytest.raises(DatabaseError, match=r"append-only|permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_only_officers_of_the_installation_import(client, house) -> None:
    """AC-01: for all others there is neither page nor door."""
    client.force_login(house.rita)
    assert client.get(DOOR).status_code == 403
    assert send(client, as_bytes(catalog())).status_code == 403
    assert client.post(DOOR, {"official": "yes"}).status_code == 403
    assert not ControlTextEdition.objects.exists()
    page = client.get(PAGE).content.decode()
    assert "An officer of the installation can import it." in page
    assert reverse("evidence:control_text") not in page


def test_a_form_without_its_token_is_refused(house) -> None:
    """AZ-08."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(house.olivia)
    assert send(browser, as_bytes(catalog())).status_code == 403
    assert not ControlTextEdition.objects.exists()


def test_no_file_is_said_at_its_field(olivia) -> None:
    answer = olivia.post(DOOR, {})
    assert answer.status_code == 422
    assert "Choose a file." in answer.content.decode()


def test_the_first_start_says_one_line_about_it(db, capsys, tmp_path) -> None:
    """`make run` shows what load_reference writes, and waits for nobody."""
    call_command("load_reference")
    assert "manage.py import_control_text official" in capsys.readouterr().out
    path = tmp_path / "c.json"
    path.write_bytes(as_bytes(catalog()))
    run(path)
    call_command("load_reference")
    assert "import_control_text" not in capsys.readouterr().out


def test_before_and_after_hang_on_the_second(olivia) -> None:
    """Known at the instant of the import itself: not yet known."""
    send(olivia, as_bytes(catalog()))
    known = ControlTextEdition.objects.get().known_from
    moment = dt.timedelta(microseconds=1)
    then = olivia.get(PAGE, {"known_at": known.isoformat()}).content.decode()
    after = olivia.get(PAGE, {"known_at": (known + moment).isoformat()})
    assert "not imported by then" in then
    assert "Words about CM-8" in after.content.decode()
