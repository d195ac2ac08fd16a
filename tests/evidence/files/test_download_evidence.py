"""Bytes leave through one door: attached, never run, recorded, for the right people."""

from __future__ import annotations

from email.message import Message
from pathlib import Path

import pytest
from django.urls import reverse

from controls.models import AuditEvent
from evidence.models import Evidence, EvidenceFile
from evidence.storage import open_store
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House, submitted

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store_folder(settings, tmp_path: Path) -> Path:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return tmp_path


@pytest.fixture
def house(store_folder) -> House:
    return houses.build()


@pytest.fixture
def file(house) -> EvidenceFile:
    return submitted(house, "1: <script>alert(1)</script>").revision.files.get()


def url(file: EvidenceFile) -> str:
    return reverse("evidence:download", args=[file.uuid])


def file_name_of(answer) -> str:
    """The name under which a browser keeps the answer (RFC 6266)."""
    message = Message()
    message["Content-Disposition"] = answer["Content-Disposition"]
    return message.get_filename()


@pytest.mark.parametrize("name", ["alice", "rita", "olivia", "audrey", "ray"])
def test_those_who_may_see_it_get_an_attachment(client, house, file, name):
    """UP-05."""
    client.force_login(house.people[name])
    answer = client.get(url(file))
    assert b"".join(answer.streaming_content) == b"1: <script>alert(1)</script>"
    assert answer["Content-Type"] == "text/plain"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert file_name_of(answer) == "report.txt"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert {"private", "no-store"} <= set(answer["Cache-Control"].split(", "))
    event = AuditEvent.objects.get(verb="evidence.downloaded")
    assert event.actor == house.people[name]


def test_other_teams_and_outsiders_find_nothing(client, house, file):
    for name in ("bob", "mallory"):
        client.force_login(house.people[name])
        assert client.get(url(file)).status_code == 404
    assert not AuditEvent.objects.filter(verb="evidence.downloaded").exists()


def test_wrong_method_and_unknown_file(client, house, file):
    client.force_login(house.alice)
    assert client.post(url(file)).status_code == 405
    unknown = "00000000-0000-4000-8000-000000000000"
    assert client.get(reverse("evidence:download", args=[unknown])).status_code == 404


def test_name_cannot_break_the_header(client, house, file):
    odd = 'é"; filename=x.exe\r\nSet-Cookie: a=b.txt'
    twin = EvidenceFile(
        revision=submitted(house, "other").revision,
        blob=file.blob,
        name=odd,
        position=9,
    )
    twin.save(force_insert=True)
    client.force_login(house.alice)
    answer = client.get(url(twin))
    assert b"".join(answer.streaming_content)
    header = answer["Content-Disposition"]
    assert "\r" not in header and "\n" not in header
    assert "x.exe" not in header.split(";")[1].split("=")[0]
    assert file_name_of(answer) == 'é"; filename=x.exeSet-Cookie: a=b.txt'


def test_missing_bytes_are_said(client, house, file, store_folder):
    open_store().path_of(file.blob.sha256).unlink()
    client.force_login(house.alice)
    assert client.get(url(file)).status_code == 410


def test_planted_link_is_not_followed(house, file, store_folder, tmp_path_factory):
    """UP-07."""
    secret = tmp_path_factory.mktemp("elsewhere") / "secret"
    secret.write_text("secret")
    path = open_store().path_of(file.blob.sha256)
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(OSError):
        open_store().open(file.blob.sha256)


def test_store_refuses_what_is_not_a_digest(store_folder):
    """UP-07."""
    for name in ("../secret", "/etc/passwd", "a" * 63, "A" * 64, "a\0" * 32):
        with pytest.raises(ValueError):
            open_store().open(name)


def test_bytes_stay_under_a_temporary_name_until_kept(store_folder):
    incoming = open_store().begin(limit=100)
    incoming.write(b"abc")
    stored = incoming.seal()
    assert not open_store().path_of(stored.sha256).exists()
    incoming.keep()
    incoming.close()
    with open_store().open(stored.sha256) as file:
        assert file.read() == b"abc"
    assert list((store_folder / "incoming").iterdir()) == []


def test_ac_01_a_team_in_one_system_opens_no_other_systems_files(client, house):
    """bob is in team Platform elsewhere and in team Data here."""
    link = submitted(house)
    elsewhere = factories.make_system(factories.make_user("omar"), slug="elsewhere")
    factories.give_role(house.bob, elsewhere, "contributor", team=house.team)
    assert not Evidence.objects.visible_to(house.bob).exists()
    assert list(Evidence.objects.visible_to(house.alice)) == [link.revision.evidence]
