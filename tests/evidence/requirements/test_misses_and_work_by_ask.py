"""A missed period of an ask is one miss with its controls on the pages of a system; the
work of a year is said in What-if too; a row is put under an ask by page (R11)."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from evidence.models import EvidenceRequirement, RequirementControl
from evidence.requirements.join_checks import AskTerms, NamedControl
from evidence.requirements.joining import join
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.one_day import TODAY

SEPTEMBER = dt.date(2026, 9, 1)


@pytest.fixture
def house(db, settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = houses.build()
    RequirementControl.objects.filter(system=built.system).delete()
    return built


def asked(house: House, ref_id: str) -> RequirementControl:
    return factories.ask_for(
        factories.implementation(house.system, ref_id),
        f"Of {ref_id}",
        grace_days=10,
        owner_team=house.team,
        operates_from=SEPTEMBER,
    )


@pytest.fixture
def ask(house) -> EvidenceRequirement:
    """Monthly, of AC-1 and SI-2, since September; nothing was brought."""
    rows = [asked(house, ref_id) for ref_id in ("ac-1", "si-2")]
    made = join(
        house.system,
        AskTerms("Settings", "monthly", "operation", grace_days=10),
        [NamedControl(row.uuid, f"The part about {row.title}") for row in rows],
        from_day=TODAY,
        by=house.olivia,
        today=TODAY,
    )
    assert isinstance(made, EvidenceRequirement)
    return made


def words_of(client: Any, url: str) -> str:
    page = client.get(url).content.decode().partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_r11_a_missed_period_is_one_miss_with_its_controls(client, house, ask):
    """R11: before the join each row misses alone; from then on both are one."""
    client.force_login(house.alice)
    later = {"on": "2027-02-01"}
    window = reverse("evidence:window", args=["shop"])
    page = client.get(window, later)
    missed = page.context["counts"].missed
    november = [row for row in missed if row.starts == dt.date(2026, 11, 1)]
    assert [(row.title, row.misses) for row in november] == [
        ("Settings", ("AC-1", "SI-2"))
    ]
    september = [row for row in missed if row.starts == SEPTEMBER]
    assert sorted(row.misses for row in september) == [("AC-1",), ("SI-2",)]
    words = words_of(client, f"{window}?on=2027-02-01")
    told = (
        "“Settings”: 2 periods, the last one 2026-12-01 to 2026-12-31: 0 of 2 shown,"
        " AC-1 and SI-2 missed"
    )
    assert told in words
    assert "each counted once" in words


def test_r11_the_state_of_the_ask_is_its_worst_controls(client, house, ask):
    """R11: one of two shown is a miss that says so."""
    row = RequirementControl.objects.get(
        joined=ask, implementation__control__ref_id="ac-1"
    )
    link = factories.make_evidence(row, by=house.alice, performed_on=TODAY)
    link.accept(by=house.rita)
    client.force_login(house.alice)
    window = reverse("evidence:window", args=["shop"])
    words = words_of(client, f"{window}?on=2026-12-20")
    assert (
        "“Settings”: 1 period, the last one 2026-11-01 to 2026-11-30: 1 of 2" in words
    )
    assert "shown, SI-2 missed" in words


def test_r11_windows_count_misses_by_ask_in_as_many_statements(client, house, ask):
    """R11: the list of windows too; more asks take no more statements."""
    client.force_login(house.alice)
    url = reverse("evidence:windows")
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as few:
        page = client.get(url)
    (counts,) = page.context["rows"]
    # September and October of two rows that stood alone then
    assert len(counts.missed) == 4
    asked(house, "cm-8")
    with CaptureQueriesContext(connection) as more:
        (counts,) = client.get(url).context["rows"]
    assert len(counts.missed) == 6
    assert len(more) == len(few)


def test_r11_what_if_says_a_years_work_before_and_after(client, house, ask):
    """R11: what would no longer be ours is not asked; what becomes ours is counted."""
    client.force_login(house.olivia)
    url = reverse("evidence:what_if", args=["shop"])
    words = words_of(client, f"{url}?end=ec2:standard")
    now = "Now 1 ask for 2 controls: 12 uploads and 12 reviews a year"
    assert f"A year's work {now}" in words
    assert "Then " in words


def test_r11_a_row_that_stands_alone_is_put_under_an_ask_by_page(client, house, ask):
    """R11, R31: from today on, by officers only; with its line; not both, not none."""
    row = asked(house, "cm-8")
    address = reverse("evidence:ask_add", args=["shop", ask.uuid])
    body = {"what_it_shows": "The list of hosts", "from_day": TODAY}
    client.force_login(house.alice)
    assert client.post(address, body | {"row": row.uuid}).status_code == 403
    client.force_login(house.olivia)
    page = client.get(reverse("evidence:ask", args=["shop", ask.uuid]))
    seen = f"{row.uuid}.{row.version}"
    assert f'value="{seen}"' in page.content.decode()
    for both in ({}, {"row": row.uuid, "control": "CM-8"}):
        refused = client.post(address, body | both)
        assert refused.status_code == 422
        told = "Choose an ask that stands alone, or name a control."
        assert told in refused.content.decode()
    stale = client.post(address, body | {"row": f"{row.uuid}.{row.version + 1}"})
    assert stale.status_code == 409
    assert "changed" in stale.context["add_form"].errors.as_text()
    done = client.post(address, body | {"row": seen}, follow=True)
    assert "CM-8 is one of its controls now." in done.content.decode()
    row.refresh_from_db()
    assert (row.joined_id, row.what_it_shows) == (ask.pk, "The list of hosts")
    again = client.post(address, body | {"row": row.uuid})
    assert again.status_code == 422
