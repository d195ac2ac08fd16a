"""Days that cannot be are refused at their field; a long period proves no later one."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from evidence.models import Evidence, EvidenceLink
from evidence.status.cadence import due_on, last_day
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.evidence.submissions.test_upload_evidence import said
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
LATER = (TODAY + DAY).isoformat()


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def url(client: Client, house: House) -> str:
    client.force_login(house.alice)
    return reverse("evidence:upload", args=["shop", house.requirement().uuid])


@pytest.mark.parametrize(
    ("fields", "days"),
    [
        (
            ["performed_on", "collected_on"],
            {"performed_on": LATER, "collected_on": LATER},
        ),
        (["collected_on"], {"collected_on": LATER}),
        (["period_start"], {"period_start": LATER, "period_end": LATER}),
        (["period_end"], {"period_end": "2000-01-01"}),
        (["period_end"], {"period_end": (TODAY + 400 * DAY).isoformat()}),
        (["period_end"], {"period_end": "9999-12-31"}),
        (["performed_on"], {"performed_on": "2000-01-01"}),
    ],
)
def test_an_impossible_day_is_refused_at_its_field(client, url, fields, days):
    answer = client.post(url, said(**days))
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == fields
    assert not Evidence.objects.exists()


def test_a_long_period_proves_no_occurrence_that_had_not_begun(client, house, url):
    far = TODAY + 200 * DAY
    client.post(url, said(period_end=far.isoformat()))
    link = EvidenceLink.objects.get()
    this_month = TODAY.replace(day=1)
    assert link.occurrence == this_month
    following = last_day("monthly", this_month) + DAY
    grace = link.requirement.grace_days
    assert link.proves_to == due_on("monthly", following, grace)
