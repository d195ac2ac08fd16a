"""R21 to R23: over the audit window, what each provider leaves open, gap by gap.

Scenario 3 with the page that goes to AWS's account team: report to 31 March, letter to
30 June, audit ends 31 August: 62 days open, from 1 July on; also seen from before.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls.models import System, SystemComponent
from controls.responsibility.decide import redecide
from evidence.models import ContinuityLetter
from evidence.systems.describe import Use, add_component
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
D = dt.date
START, END = D(2025, 9, 1), D(2026, 8, 31)
SENTENCE = (
    "report to 31 March 2026, letter to 30 June 2026, audit ends 31 August 2026:"
    " 62 days open"
)


@pytest.fixture
def audited(oscar, settings):
    """EC2 and S3 over the window; PE-3 and SI-2; AWS's reports to March, a letter."""
    settings.MFA_REQUIRED = False
    system = factories.make_system(
        oscar,
        services=["ec2", "s3"],
        baseline=factories.make_baseline(("pe-3", "si-2", "ac-1"), slug="three"),
        used_from=START,
        window_start=START,
        window_end=END,
    )
    olga = factories.make_user("olga")
    factories.give_role(olga, system, "officer")
    artifact = factories.make_artifact(oscar, ["pe-3", "si-2"])
    for starts, ends in (
        (D(2025, 4, 1), D(2025, 9, 30)),
        (D(2025, 10, 1), D(2026, 3, 31)),
    ):
        report = factories.make_report(artifact, starts, ends)
    ContinuityLetter.objects.create(
        artifact_version=report,
        registered_by=oscar,
        issued_on=D(2026, 6, 30),
        starts=D(2026, 4, 1),
        until=D(2026, 7, 1),
    )
    for version in artifact.versions.all():
        factories.rely_on(version, system, by=olga)
    return system


def page_of(browser, system, **query):
    url = reverse("evidence:provider_window", args=[system.slug])
    return browser.get(url, query)


def text_of(page):
    return " ".join(page.content.decode().split())


def providers_of(page):
    return {each["of"].slug: each["of"] for each in page.context["providers"]}


def test_the_sentence_for_the_account_team(audited, as_user, oscar):
    page = page_of(as_user(oscar), audited, provider="aws")
    assert page.status_code == 200
    assert SENTENCE[1:] in text_of(page)
    aws = providers_of(page)["aws"]
    (gap,) = aws.gaps
    assert (gap.first, gap.last, gap.days) == (D(2026, 7, 1), END, 62)
    assert gap.controls == ("PE-3", "SI-2")
    assert [(s.so_far.audited, s.so_far.asserted, s.so_far.open_days)
            for s in aws.services] == [(212, 91, 62)] * len(aws.services)  # fmt: skip


def test_a_gap_is_seen_before_it_begins(audited, as_user, oscar):
    """On 1 June nothing is open yet; the gap ahead is told with its day."""
    page = page_of(as_user(oscar), audited, on="2026-06-01")
    aws = providers_of(page)["aws"]
    assert {service.so_far.open_days for service in aws.services} == {0}
    (gap,) = aws.gaps
    assert (gap.first, gap.days, gap.ahead) == (D(2026, 7, 1), 62, True)
    assert aws.open_ahead == 62
    past = page_of(as_user(oscar), audited)
    (gap,) = providers_of(past)["aws"].gaps
    assert not gap.ahead
    assert "(past)" in text_of(past)


def test_a_service_in_use_for_a_part_of_the_window(audited, as_user, oscar):
    """S3 ended on 31 May: its days are all covered; EC2 decides."""
    of_s3 = SystemComponent.objects.filter(system=audited, variant__service__slug="s3")
    of_s3.update(used_until=D(2026, 6, 1))
    redecide(audited, by=oscar, reason="ended", before=None)
    page = page_of(as_user(oscar), audited)
    aws = providers_of(page)["aws"]
    (shown,) = page.context["providers"]
    assert {s.need.slug for s, _ in shown["open"]} == {"ec2"}
    assert {s.need.slug for s, _ in shown["covered"]} == {"s3"}
    assert f"Without an open day: {len(shown['covered'])}" in text_of(page)
    open_days = {s.need.slug: s.to_end.open_days for s in aws.services}
    assert open_days == {"ec2": 62, "s3": 0}
    assert aws.worst.need.slug == "ec2"
    s3 = next(s for s in aws.services if s.need.slug == "s3")
    assert "in use to 31 May 2026: no day open" in s3.sentence


def test_each_provider_apart(audited, as_user, oscar):
    """R3: a landlord without a report is a gap of its own on all its days."""
    use = Use(
        factories.variant("colocation-site"),
        D(2026, 8, 1),
        regions=["FRA1"],
        provided_by="Interxion",
    )
    add_component(audited, use, by=oscar)
    page = page_of(as_user(oscar), audited)
    providers = providers_of(page)
    assert list(providers) == ["aws", "interxion"]
    (gap,) = providers["interxion"].gaps
    assert (gap.first, gap.last) == (D(2026, 8, 1), END)
    assert "No report that counts, in use from 1 August 2026" in text_of(page)
    alone = page_of(as_user(oscar), audited, provider="interxion")
    assert list(providers_of(alone)) == ["interxion"]
    assert page_of(as_user(oscar), audited, provider="nobody").status_code == 404


def test_the_api_says_the_same(audited, as_user, oscar):
    url = reverse("api_provider_window", args=[audited.slug])
    (aws,) = as_user(oscar).get(url).json()
    assert aws["gaps"] == [
        {
            "first": "2026-07-01",
            "last": "2026-08-31",
            "days": 62,
            "ahead": False,
            "services": ["ec2", "s3"],
            "controls": ["PE-3", "SI-2"],
        }
    ]
    assert {row["sentence"] for row in aws["services"]} == {SENTENCE}
    asked = {"on": str(TODAY), "known_at": "2020-01-01T00:00:00Z"}
    assert as_user(oscar).get(url, asked).status_code == 400


def test_it_is_the_days_of_the_control_page(audited, as_user, oscar):
    """R34: the counts of a control's own page are those of its services here."""
    control = as_user(oscar).get(f"/api/v1/systems/{audited.slug}/controls/pe-3/")
    counted = control.json()["period"]
    aws = providers_of(page_of(as_user(oscar), audited))["aws"]
    of_pe_3 = [s.so_far for s in aws.services if "PE-3" in s.controls]
    assert max(days.open_days for days in of_pe_3) == counted["open_days"]
    assert {days.audited for days in of_pe_3} == {counted["audited_days"]}


def test_statements_do_not_grow(audited, as_user, oscar):
    browser = as_user(oscar)
    page_of(browser, audited)
    with CaptureQueriesContext(connection) as few:
        page_of(browser, audited)
    for name in ("lambda", "dynamodb"):
        add_component(audited, Use(factories.variant(name), START), by=oscar)
    with CaptureQueriesContext(connection) as more:
        page_of(browser, audited)
    assert len(more) == len(few)
    assert System.objects.get(pk=audited.pk).window_end == END
