"""AC-11: the file of an export is for one person, for some days, and then gone."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest
from django.test import Client

from controls import clock
from controls.engagements import end_engagement
from controls.models import AuditEvent
from evidence.exports import ends
from evidence.exports.files import folder
from evidence.exports.jobs import EXPORTS, make_export
from evidence.jobs.work import sweep
from evidence.models import Export
from evidence.tasks import end_exports, sweep_store
from tests.evidence import house as houses
from tests.evidence.exports import on_the_way
from tests.evidence.house import TODAY, House
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db(transaction=True)
DAY = dt.timedelta(days=1)
DOWNLOADS = ["/exports/{}/download/", "/api/v1/exports/{}/file/"]
DELETIONS = [("post", "/exports/{}/delete/"), ("delete", "/api/v1/exports/{}/")]


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    settings.EXPORT_DAYS = 3
    return houses.build()


def signed_in(house: House, name: str) -> Client:
    client = Client(raise_request_exception=False)
    sign_in_just_now(client, house.people[name])
    return client


def asked_for(house: House, name: str) -> Export:
    sent = {"system": "shop", "on": TODAY.isoformat()}
    signed_in(house, name).post("/exports/request/", sent)
    return Export.objects.get(requested_by=house.people[name])


def made(house: House, name: str) -> Export:
    export = asked_for(house, name)
    make_export(export.pk)
    export.refresh_from_db()
    assert export.state == "done"
    return export


def names() -> list[str]:
    return sorted(path.name for path in folder().iterdir())


def page(house: House, name: str) -> str:
    return " ".join(signed_in(house, name).get("/exports/").content.decode().split())


def verbs() -> list[str]:
    mine = AuditEvent.objects.filter(verb__startswith="export.")
    return list(mine.order_by("at", "seq").values_list("verb", flat=True))


def finished_before(export: Export, instant: dt.datetime) -> None:
    Export.objects.filter(pk=export.pk).update(finished_at=instant - 3 * DAY)


@pytest.mark.parametrize("door", DOWNLOADS)
def test_from_its_last_instant_on_it_is_not_given_out(house, door) -> None:
    """AC-11: also before the file is deleted, and by no method."""
    export = made(house, "ray")
    until = f"kept until {export.finished_at + 3 * DAY:%Y-%m-%d %H:%M} UTC"
    assert until in page(house, "ray")
    finished_before(export, clock.now())
    client, path = signed_in(house, "ray"), door.format(export.uuid)
    for headers in ({}, {"Range": "bytes=0-10"}):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 410
        assert "This export has expired. Ask for it again." in answer.content.decode()
    assert client.head(path).status_code in {405, 410}
    assert "export.downloaded" not in verbs()


def test_the_file_goes_and_the_record_says_so(house) -> None:
    old, new = made(house, "ray"), made(house, "rita")
    finished_before(old, clock.now())
    end_exports()
    old.refresh_from_db()
    assert (old.state, old.file_name) == ("expired", "")
    assert names() == [new.file_name]
    assert "Expired" in page(house, "ray")
    end_exports()
    assert verbs().count("export.expired") == 1


def test_a_moment_before_it_is_still_there(house) -> None:
    export = made(house, "ray")
    assert ends.end_exports(export.finished_at + 3 * DAY - dt.timedelta(seconds=1)) == 0
    assert ends.end_exports(export.finished_at + 3 * DAY) == 1
    assert names() == []


@pytest.mark.parametrize(("method", "door"), DELETIONS)
def test_people_delete_their_own(house, method, door) -> None:
    export = made(house, "ray")
    answer = getattr(signed_in(house, "ray"), method)(door.format(export.uuid))
    assert answer.status_code in {302, 204}
    assert names() == []
    assert verbs()[-1] == "export.deleted"
    assert "Deleted" in page(house, "ray")
    assert export.sha256 in page(house, "ray"), "what was taken can still be compared"
    for download in DOWNLOADS:
        answer = signed_in(house, "ray").get(download.format(export.uuid))
        assert answer.status_code == 410
        assert "was deleted. Ask for the export again." in answer.content.decode()


def test_a_program_stops_one_that_is_not_finished(house) -> None:
    """It has no other door: DELETE stops what waits, and stopped it has no file."""
    export = asked_for(house, "ray")
    officer = signed_in(house, "olivia")
    assert officer.delete(f"/api/v1/exports/{export.uuid}/").status_code == 403
    client = signed_in(house, "ray")
    assert client.delete(f"/api/v1/exports/{export.uuid}/").status_code == 204
    export.refresh_from_db()
    assert export.state == "cancelled"
    assert verbs()[-1] == "export.cancelled"
    again = client.delete(f"/api/v1/exports/{export.uuid}/")
    assert again.status_code == 409
    assert "This export has no file." in again.content.decode()


@pytest.mark.parametrize(("method", "door"), DELETIONS)
def test_nobody_else_takes_or_deletes_it(house, method, door) -> None:
    """AC-11: an officer sees that it was made; others do not see it at all."""
    export = made(house, "ray")
    for name, status in (("olivia", 403), ("rita", 404), ("mallory", 404)):
        client = signed_in(house, name)
        assert getattr(client, method)(door.format(export.uuid)).status_code == status
        for download in DOWNLOADS:
            assert client.get(download.format(export.uuid)).status_code == status
    assert "Download" not in page(house, "olivia")
    assert "for who asked for it" in page(house, "olivia")
    assert names() == [export.file_name]
    assert "export.downloaded" not in verbs()


@pytest.mark.parametrize("how", ["grant ended", "account closed"])
def test_what_an_auditor_may_no_longer_read_goes_the_night_after(house, how) -> None:
    """AC-11: the file is deleted and what waits or runs is stopped."""
    export, others = made(house, "audrey"), made(house, "ray")
    waiting = Export.objects.create(
        system=house.system, requested_by=house.audrey, on=TODAY, known_at=clock.now(),
        window_start=TODAY, window_end=TODAY, idempotency_key="second",
    )  # fmt: skip
    end_exports()
    assert len(names()) == 2
    if how == "grant ended":
        house.audrey.memberships.update(ends_at=clock.now())
    else:
        type(house.audrey).objects.filter(pk=house.audrey.pk).update(is_active=False)

    end_exports()

    for row in (export, waiting, others):
        row.refresh_from_db()
    assert (export.state, waiting.state, others.state) == (
        "expired",
        "cancelled",
        "done",
    )
    assert "may no longer read this system" in waiting.failure
    assert names() == [others.file_name]
    assert sweep(EXPORTS) == 0
    assert set(verbs()[-2:]) == {"export.expired", "export.cancelled"}
    assert "may no longer read" in AuditEvent.objects.get(verb="export.expired").body


def test_one_that_is_being_made_then_leaves_no_file(house, monkeypatch) -> None:
    """AC-11: a grant that ends on the way stops what is being written."""
    export = asked_for(house, "audrey")

    def end_on_the_way() -> None:
        house.audrey.memberships.update(ends_at=clock.now())
        end_exports()

    written = on_the_way.without_end(monkeypatch, end_on_the_way)
    make_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.lease_token) == ("cancelled", None)
    assert "may no longer read this system" in export.failure
    assert len(written) < on_the_way.MAX_LINES
    assert names() == []


@pytest.mark.parametrize("how", ["engagement ended", "its last day is over"])
def test_one_that_is_being_made_stops_by_itself_and_says_so(
    house, monkeypatch, how
) -> None:
    """AC-10: the worker asks on the way; nobody waits for the sweep of the hour."""
    export = asked_for(house, "audrey")

    def end_on_the_way() -> None:
        if how == "engagement ended":
            engagement = house.system.engagements.get()
            end_engagement(engagement, by=house.olivia, now=clock.now())
        else:
            house.audrey.memberships.update(ends_at=clock.now())

    written = on_the_way.without_end(monkeypatch, end_on_the_way)
    make_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.lease_token) == ("failed", None)
    assert 0 < len(written) < on_the_way.MAX_LINES
    assert names() == []
    assert verbs()[-1] == "export.failed"
    assert "since the engagement or the role has ended" in page(house, "olivia")
    assert "your access to its system has ended" in page(house, "audrey")
    assert "Shop" not in page(house, "audrey").partition("<main")[2]


def test_killed_between_record_and_file_the_file_goes_later(
    house, monkeypatch, machine_time
) -> None:
    """Nothing is left on disk: the nightly sweep takes what no export names."""
    export = made(house, "ray")
    monkeypatch.setattr(ends, "drop_file", lambda name: None)
    signed_in(house, "ray").post(f"/exports/{export.uuid}/delete/")
    assert names() == [export.file_name]
    long_ago = clock.now().timestamp() - 90_000
    os.utime(folder() / export.file_name, (long_ago, long_ago))
    sweep_store()
    assert names() == []
