"""R9, R11: how much of a system providers carry, share and leave to us, and its work.

By family and by team, with what the classes rest on, and at the past twelve month ends;
as a page and as a file, by the same number of statements for few and many controls.
"""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls.models import Baseline, ControlImplementation
from evidence.requirements.burden import burden_now
from evidence.systems.describe import end_component
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
JUNE_ENDS = dt.date(2026, 6, 30)


def page_of(browser, system):
    return browser.get(reverse("evidence:burden", args=[system.slug]))


def lines_of(browser, system):
    url = reverse("evidence:burden_csv", args=[system.slug])
    text = browser.get(url).content.decode("utf-8-sig")
    return {(row["By"], row["Of"]): row for row in csv.DictReader(io.StringIO(text))}


def test_providers_part_and_ours_add_up_by_family_and_by_team(system, alice, as_user):
    """R9: each control is counted once, whichever way they are grouped."""
    page = page_of(as_user(alice), system)
    shares = page.context["shares"]
    whole = shares.whole
    classes = list(system.implementations.values_list("responsibility", flat=True))
    assert whole.total == len(classes)
    assert whole.providers == classes.count("inherited")
    assert whole.shared == classes.count("shared")
    assert whole.ours == classes.count("customer") + classes.count("unclassified")
    for groups in (shares.families, shares.teams):
        for name in ("total", "providers", "shared", "ours"):
            assert sum(getattr(g, name) for g in groups) == getattr(whole, name)
    assert whole.burden == burden_now(system, TODAY)
    assert sum(g.burden.uploads for g in shares.families) == whole.burden.uploads
    assert sum(number for _, number in shares.why) == whole.total
    assert "Platform" in page.content.decode()


def test_a_control_that_is_nobodys_stands_with_nobody(system, alice, as_user):
    """R9: what no team owns is not left out of the sum."""
    one = factories.implementation(system, "si-2")
    ControlImplementation.objects.filter(pk=one.pk).update(owner_team=None)
    shares = page_of(as_user(alice), system).context["shares"]
    assert {g.name: g.total for g in shares.teams}["Nobody"] == 1


def test_the_past_year_shows_what_ended(system, oscar, alice, as_user):
    """R7: the month ends say what was so on each day; EC2 went today."""
    end_component(
        system.components.get(variant__service__slug="ec2"),
        last_day=TODAY - dt.timedelta(days=1),
        by=oscar,
        today=TODAY,
    )
    page = page_of(as_user(alice), system)
    past = {then.day: then.share for then in page.context["past"]}
    assert len(past) == 12
    assert max(past) == dt.date(2026, 10, 31)
    now = page.context["shares"].whole
    before = past[JUNE_ENDS]
    assert before.total == now.total
    classes = ("inherited", "shared", "customer", "none")
    assert [before.of(c) for c in classes] != [now.of(c) for c in classes]


def test_the_file_says_what_the_page_says(system, alice, as_user):
    """R9: a line for the whole, each family, team and month end."""
    browser = as_user(alice)
    whole = page_of(browser, system).context["shares"].whole
    lines = lines_of(browser, system)
    line = lines["System", system.name]
    assert line["Controls"] == str(whole.total)
    assert line["Providers carry"] == str(whole.providers)
    assert line["Uploads a year"] == str(whole.burden.uploads)
    assert ("Team", "Platform") in lines
    assert ("Month end", "2026-10-31") in lines


def test_the_api_says_what_the_page_says(system, alice, as_user):
    browser = as_user(alice)
    page = page_of(browser, system)
    shares, past = page.context["shares"], page.context["past"]
    body = browser.get(reverse("api_burden", args=[system.slug])).json()
    assert body["on"] == str(TODAY)
    assert body["whole"]["controls"] == shares.whole.total
    assert body["whole"]["uploads_a_year"] == shares.whole.burden.uploads
    assert [row["name"] for row in body["families"]] == [
        s.name for s in shares.families
    ]
    assert [row["ours"] for row in body["teams"]] == [s.ours for s in shares.teams]
    assert sum(row["controls"] for row in body["why"]) == shares.whole.total
    assert [row["on"] for row in body["past"]] == [str(row.day) for row in past]
    text = page.content.decode()
    for word in ("Providers carry it", "Left to us", "counted as ours"):
        assert word in text  # the bars say in words what their colours mean


def test_outsiders_see_nothing(system, mallory, as_user):
    """AC-01: who may not read the system is told nothing of it."""
    browser = as_user(mallory)
    assert page_of(browser, system).status_code == 404
    url = reverse("evidence:burden_csv", args=[system.slug])
    assert browser.get(url).status_code == 404


def test_as_many_statements_for_few_controls_as_for_many(
    system, platform, oscar, as_user
):
    """The page's statements do not grow with the controls."""
    baseline = Baseline.objects.get(slug="nist-low")
    large = factories.make_system(oscar, slug="large", team=platform, baseline=baseline)
    assert system.implementations.count() < large.implementations.count()
    browser, counted = as_user(oscar), []
    for of in (system, large):
        with CaptureQueriesContext(connection) as statements:
            assert page_of(browser, of).status_code == 200
        counted.append(len(statements))
    assert counted[0] == counted[1]
