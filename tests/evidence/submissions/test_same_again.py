"""The last accepted evidence is the beginning of the next one, in one step."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from django.urls import reverse

from evidence.models import Evidence, EvidenceLink
from evidence.requirements.changes import NewTerms, change_requirement
from evidence.submissions.same_again import period_name
from evidence.submissions.twins import Twin
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.evidence.submissions.test_upload_evidence import said
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store_folder(settings, tmp_path: Path) -> None:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False


@pytest.fixture
def house(store_folder) -> House:
    return houses.build()


@pytest.fixture
def accepted(client, house) -> Evidence:
    """What rita accepted of alice's, proving two controls."""
    client.force_login(house.alice)
    url = reverse("evidence:upload", args=["shop", house.requirement().uuid])
    also = house.requirement("si-2")
    client.post(url, said(procedure="Click by click", also=[also.pk]))
    for link in EvidenceLink.objects.all():
        link.accept(by=house.rita)
    return Evidence.objects.get()


def again(client, house: House, evidence: object):
    url = reverse("evidence:upload", args=["shop", house.requirement().uuid])
    return client.get(url, {"again": str(evidence)})


def test_words_come_back_and_days_and_files_are_new(client, house, accepted):
    form = again(client, house, accepted.uuid).context["form"]
    assert form.initial["procedure"] == "Click by click"
    assert form.initial["source_system"] == "console"
    assert form.initial["also"] == [house.requirement("si-2").pk]
    assert form.initial["performed_on"] == TODAY
    first = form.initial["period_start"]  # of the oldest open period
    assert form.initial["title"].endswith(period_name("monthly", first))


def test_the_evidence_and_the_upload_page_offer_it(client, house, accepted):
    url = reverse("evidence:upload", args=["shop", house.requirement().uuid])
    assert f"?again={accepted.uuid}" in client.get(url).content.decode()
    shown = client.get(reverse("evidence:evidence", args=[accepted.uuid]))
    assert f"?again={accepted.uuid}" in shown.content.decode()


@pytest.mark.parametrize("asked", ["x", "00000000-0000-4000-8000-000000000000"])
def test_what_is_not_there_begins_as_usual(client, house, accepted, asked):
    answer = again(client, house, asked)
    assert answer.status_code == 200
    assert "procedure" not in answer.context["form"].initial


@pytest.mark.parametrize(
    ("cadence", "first", "name"),
    [
        ("monthly", dt.date(2026, 10, 1), "October 2026"),
        ("quarterly", dt.date(2026, 10, 1), "Q4 2026"),
        ("half-yearly", dt.date(2026, 7, 1), "second half of 2026"),
        ("weekly", dt.date(2026, 10, 5), "2026-10-05 to 2026-10-11"),
        ("yearly", dt.date(2026, 1, 1), ""),
    ],
)
def test_periods_have_the_names_people_use(cadence, first, name):
    assert period_name(cadence, first) == name


def test_the_link_names_the_period(client, house, accepted):
    url = reverse("evidence:upload", args=["shop", house.requirement().uuid])
    page = client.get(url).content.decode()
    assert re.search(r">Same again for [A-Z][a-z]+ \d{4}</a>", page)


def test_an_open_period_of_an_earlier_rhythm_keeps_its_name(client, house, accepted):
    """R14: asked quarterly from today on, October stays open as the month it was; what
    was brought for a month is named as a twin without a quarter's name."""
    asked = house.requirement()
    terms = NewTerms(
        title=asked.title,
        cadence="quarterly",
        purpose=asked.purpose,
        operates_from=asked.operates_from,
        guidance=asked.guidance,
        good_proof=asked.good_proof,
        owner_team=asked.owner_team,
        grace_days=asked.grace_days,
        lead_days=asked.lead_days,
        rarer_because="Two hosts",
    )
    change_requirement(asked, terms, version=None, by=house.olivia, today=TODAY)
    link = EvidenceLink.objects.get(requirement=asked)
    assert link.occurrence == dt.date(2026, 11, 1)
    page = client.get(reverse("evidence:work"))
    assert page.status_code == 200
    assert "Same again for " in page.content.decode()
    twin = Twin("a.txt", "0" * 64, link)
    assert f"for “{asked.title}”, on today" not in twin.sentence(house.alice, TODAY)
