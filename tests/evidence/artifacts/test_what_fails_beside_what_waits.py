"""R22, R24 on the page and over the API: an unread report hides nothing that fails,
and currency ends once the next report is not relied on."""

from __future__ import annotations

import datetime as dt
import html

import pytest
from django.test import Client
from django.urls import reverse

from controls.models import System
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
D = dt.date


@pytest.fixture
def reader(as_user, oscar) -> Client:
    return as_user(oscar)


def page(reader: Client, system: System) -> str:
    """The page of PE-3, as it reads today."""
    where = reverse("evidence:control", args=[system.slug, "pe-3"])
    return html.unescape(reader.get(where).content.decode())


def aws_half(reader: Client, system: System) -> tuple[str, set[str]]:
    """State of AWS's half of PE-3 and the codes of its reasons, over the API."""
    answer = reader.get(f"/api/v1/systems/{system.slug}/controls/pe-3/").json()
    return answer["aws_half"], {why["code"] for why in answer["reasons"]}


def read(report, system, conclusion: str, client: Client) -> None:
    """A reliance review through its page."""
    where = reverse("evidence:reliance", args=[system.slug, report.uuid])
    notes = {"scope_note": "All services in scope", "period_note": "Half a year"}
    answer = client.post(where, notes | {"conclusion": conclusion})
    assert answer.status_code == 302


def test_an_unread_report_hides_no_report_that_lapsed(reader, system, oscar, olga):
    lapsed = factories.make_artifact(oscar, ["pe-3"], title="AWS SOC 2")
    old = factories.make_report(lapsed, D(2025, 4, 1), D(2026, 3, 31))
    factories.rely_on(old, system, by=olga)
    unread = factories.make_artifact(oscar, ["pe-3"], title="AWS C5", series="c5")
    factories.make_report(unread, D(2026, 4, 1), D(2026, 9, 30))
    assert aws_half(reader, system) == (
        "pending",
        {"reliance_pending", "report_lapsed"},
    )
    text = page(reader, system)
    assert "AWS C5, to 2026-09-30 has not been reviewed for reliance" in text
    assert "AWS SOC 2, to 2026-03-31 counted as current until 2026-06-29" in text


def test_an_unread_report_hides_no_region_out_of_scope(reader, system, oscar, olga):
    away = factories.make_artifact(oscar, ["pe-3"], title="AWS SOC 2")
    spring = factories.make_report(
        away, D(2026, 4, 1), D(2026, 9, 30), regions=["eu-south-2"]
    )
    factories.rely_on(spring, system, by=olga)
    unread = factories.make_artifact(oscar, ["pe-3"], title="AWS C5", series="c5")
    factories.make_report(unread, D(2026, 4, 1), D(2026, 9, 30))
    assert aws_half(reader, system) == (
        "pending",
        {"reliance_pending", "region_out_of_scope"},
    )


def test_do_not_rely_on_the_next_report_ends_currency(reader, system, oscar, olga):
    """Current up to 90 days after its period; not once the next one is refused."""
    artifact = factories.make_artifact(oscar, ["pe-3"], title="AWS SOC 2")
    old = factories.make_report(artifact, D(2025, 9, 1), D(2026, 8, 31))
    factories.rely_on(old, system, by=olga)
    newer = factories.make_report(artifact, D(2026, 9, 1), D(2026, 10, 31))
    assert D(2026, 8, 31) + dt.timedelta(days=90) > TODAY
    state, why = aws_half(reader, system)
    assert state in {"proven", "expiring"}
    assert "newer_version_unreviewed" in why
    client = Client()
    client.force_login(olga)
    read(newer, system, "do-not-rely", client)
    assert aws_half(reader, system) == ("lapsed", {"report_lapsed", "not_relied_on"})
    text = page(reader, system)
    assert "AWS SOC 2, to 2026-10-31 is not relied on" in text
    assert "counted as current until 2026-08-31" in text
