"""AU-07: lists of events have an end like evidence, and their bytes go after it.

Their rows, reviews and samples stay. A legal hold over the system, an audit of their
days, and a review or a sample of later keep them longer; the database refuses the rest.
"""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from controls.history.clock import clock_at
from controls.models import AuditEvent, Engagement, Role
from evidence.files import purge as purging
from evidence.files.legal_holds import lift_hold, place_hold
from evidence.models import Blob, Population
from evidence.storage import open_store
from tests.evidence import house as houses
from tests.evidence import per_event
from tests.evidence.house import House, give
from tests.factories import make_engagement
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db(transaction=True)
DRAWN = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
AFTER = dt.datetime(2034, 1, 10, 9, tzinfo=dt.UTC)  # the window ends in 2026


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    """Its audit has ended."""
    built = per_event.build(settings, tmp_path)
    Engagement.objects.update(ended_at=DRAWN)
    built.people["oscar"] = houses.person("oscar")
    give(built, "oscar", Role.OFFICER)
    return built


@pytest.fixture
def population(client, house: House) -> Population:
    asked = per_event.made_per_event(house)
    client.force_login(house.alice)
    return per_event.bring(client, asked, list=houses.file("c.csv", per_event.listed()))


def ended_at(instant: dt.datetime, as_owner) -> list[purging.EndedRecord]:
    with as_owner(), clock_at(instant):
        return purging.ended_records()


def test_its_bytes_go_after_its_end_and_its_rows_stay(
    client, house, population, as_owner
) -> None:
    page = reverse("evidence:population", args=[population.uuid])
    until = max(house.system.window_end, DRAWN.date())
    until = until.replace(year=until.year + 7)
    sign_in_just_now(client, house.olivia)
    assert f">{until}</time>" in client.get(page).content.decode()
    assert ended_at(DRAWN, as_owner) == []
    assert ended_at(AFTER.replace(year=2033, month=11, day=1), as_owner) == []
    (record,) = ended_at(AFTER, as_owner)
    assert record.key == ("population", population.pk)
    assert (record.kept_until, record.years) == (until, 7)

    printed = io.StringIO()
    with as_owner(), clock_at(AFTER):
        call_command("purge_evidence", house.system.slug, stdout=printed)
        assert "0 pieces of evidence, 1 list of events, 1 file," in printed.getvalue()
        assert f"{population.uuid} list of events: " in printed.getvalue()
        call_command("purge_evidence", "--remove", stdout=printed)
    blob = Blob.objects.get()
    assert (blob.purged_for, open_store().has(blob.sha256)) == ("retention", False)
    event = AuditEvent.objects.get(verb="population.purged")
    assert (event.subject_uuid, blob.sha256 in event.body) == (population.uuid, True)
    assert population.items.count() == 10
    shown = client.get(page).content.decode()
    assert "its bytes are gone, its rows below stay" in shown and "CHG-3" in shown


def test_a_review_a_hold_and_an_audit_keep_it_longer(
    client, house, population, as_owner
) -> None:
    hold = place_hold(house.system, reason="A suit", by=house.olivia)
    assert ended_at(AFTER, as_owner) == []
    lift_hold(hold, reason="Settled", by=house.oscar)
    assert len(ended_at(AFTER, as_owner)) == 1
    audit = make_engagement(house.system)
    assert ended_at(AFTER, as_owner) == []
    Engagement.objects.filter(pk=audit.pk).update(ended_at=DRAWN)
    assert len(ended_at(AFTER, as_owner)) == 1
    with as_owner(), clock_at(AFTER.replace(year=2030)):
        per_event.judge(client, house.rita, population)
    assert ended_at(AFTER, as_owner) == []


def test_the_role_that_serves_purges_none_early(population, house) -> None:
    def purge() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE evidence_blob SET purged_at = clock_timestamp()")

    with pytest.raises(DatabaseError, match="bytes are kept until their end"):
        purge()
    place_hold(house.system, reason="A suit", by=house.olivia)
    with pytest.raises(DatabaseError, match="under a legal hold"):
        purge()
