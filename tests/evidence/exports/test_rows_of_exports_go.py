"""AC-11: nothing of exports grows for ever, and administrators see what there is."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from controls import clock
from controls.models import AuditEvent
from evidence.exports.ends import forget_exports
from evidence.models import Export
from evidence.tasks import sweep_store
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
ENDED = ["failed", "cancelled", "expired", "deleted"]


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    settings.EXPORT_ROWS_DAYS = 365
    return houses.build()


def exported(house: House, state: str, days_ago: int) -> Export:
    """One of ray's that ended so many days ago, or still goes on."""
    ended = state not in {"queued", "running"}
    return Export.objects.create(
        system=house.system,
        requested_by=house.ray,
        on=TODAY,
        known_at=clock.now(),
        window_start=TODAY,
        window_end=TODAY,
        idempotency_key=f"{state} {days_ago}",
        state=state,
        sha256="0" * 64,
        finished_at=clock.now() - days_ago * DAY if ended else None,
    )


def test_rows_that_ended_go_after_a_year_and_leave_an_event(house) -> None:
    old = [exported(house, state, 366) for state in ENDED]
    kept = [exported(house, state, 364) for state in ENDED]
    kept += [exported(house, state, 999) for state in ("done", "queued", "running")]
    sweep_store()
    assert set(Export.objects.all()) == set(kept)
    events = AuditEvent.objects.filter(verb="export.forgotten")
    assert {event.subject_uuid for event in events} == {row.uuid for row in old}
    assert forget_exports(clock.now()) == 0


def test_a_night_takes_a_bounded_number(house, monkeypatch) -> None:
    monkeypatch.setattr("evidence.exports.ends.MAX_FORGOTTEN", 2)
    for days_ago in (400, 401, 402):
        exported(house, "expired", days_ago)
    assert [forget_exports(clock.now()) for _ in range(3)] == [2, 1, 0]


def test_it_is_a_constant_number_of_statements(
    house, django_assert_max_num_queries
) -> None:
    for days_ago in (400, 401, 402, 403):
        exported(house, "deleted", days_ago)
    with django_assert_max_num_queries(12):
        assert forget_exports(clock.now()) == 4


def test_administrators_see_them_and_change_nothing(house) -> None:
    export = exported(house, "failed", 3)
    listed = reverse("admin:evidence_export_changelist")
    shown = reverse("admin:evidence_export_change", args=[export.pk])
    admin, officer = Client(), Client(raise_request_exception=False)
    admin.force_login(factories.administrator())
    assert list(admin.get(listed).context["cl"].queryset) == [export]
    assert admin.get(shown).status_code == 200
    assert admin.post(shown, {"state": "done"}).status_code == 403
    deletion = reverse("admin:evidence_export_delete", args=[export.pk])
    assert admin.post(deletion, {"post": "yes"}).status_code == 403
    export.refresh_from_db()
    assert export.state == "failed"
    officer.force_login(house.people["olivia"])
    for address in (listed, shown):
        assert officer.get(address).status_code in {302, 403, 404}
