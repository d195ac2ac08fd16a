"""An officer asks more, asks less, or stops asking; never less than the baseline."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from controls.models import (
    AuditEvent,
    Baseline,
    BaselineControl,
    RetrospectiveChange,
    System,
)
from evidence.models import RequirementControl
from evidence.requirements import odp_frequency
from evidence.requirements.from_templates import proposed
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.one_day import TODAY


@pytest.fixture
def house(db, settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


def said(**changes) -> dict:
    return {
        "title": "Inventory reconciliation",
        "cadence": "monthly",
        "purpose": "operation",
        "operates_from": TODAY.isoformat(),
    } | changes


def test_the_list_says_what_how_often_and_why(client, house):
    client.force_login(house.ray)
    page = client.get(reverse("evidence:requirements", args=["shop"]))
    assert "Inventory reconciliation" in page.content.decode()
    assert "Change" not in page.content.decode()
    found = client.get(reverse("evidence:requirements", args=["shop"]), {"q": "SI-2"})
    assert [r.implementation.control.label for r in found.context["page"]] == ["SI-2"]


def test_as_many_queries_for_many_rows_as_for_one(client, house):
    client.force_login(house.olivia)
    url = reverse("evidence:requirements", args=["shop"])
    client.get(url)
    counts = []
    for query in ({"q": "SI-2"}, {}):
        with CaptureQueriesContext(connection) as asked:
            client.get(url, query)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_one_more_is_asked_of_a_control(client, house):
    client.force_login(house.olivia)
    url = reverse("evidence:requirement_new", args=["shop", "cm-8"])
    assert client.get(url).status_code == 200
    answer = client.post(url, said(title="Second look", good_proof="Both lists"))
    assert answer.status_code == 302
    added = RequirementControl.objects.get(title="Second look")
    assert (added.origin, added.grace_days, added.good_proof) == (
        "local",
        5,
        "Both lists",
    )
    assert AuditEvent.objects.filter(verb="requirement.added").count() == 1


def edit(client, asked: RequirementControl, **changes):
    url = reverse("evidence:requirement_edit", args=["shop", asked.uuid])
    as_it_is = {"operates_from": asked.operates_from, "version": asked.version}
    return client.post(url, said(**as_it_is | changes))


def test_a_change_is_recorded_with_what_was_before(client, house):
    client.force_login(house.olivia)
    asked = house.requirement()
    assert edit(client, asked, cadence="weekly").status_code == 302
    asked.refresh_from_db()
    assert (asked.cadence, asked.version) == ("weekly", 2)
    event = AuditEvent.objects.get(verb="requirement.changed")
    assert '"cadence":"monthly"' in event.body


def test_a_stale_form_is_refused_and_keeps_what_was_typed(client, house):
    client.force_login(house.olivia)
    asked = house.requirement()
    edit(client, asked, title="First")
    answer = edit(client, asked, title="Second")
    assert answer.status_code == 409
    assert 'value="Second"' in answer.content.decode()


def test_less_often_than_the_baseline_needs_a_reason(client, house):
    BaselineControl.objects.filter(control__ref_id="cm-8").update(
        parameters={"cm-08_odp.02": "at least monthly"}
    )
    client.force_login(house.olivia)
    asked = house.requirement()
    answer = edit(client, asked, cadence="yearly")
    assert answer.status_code == 422
    assert "The baseline says “at least monthly”" in answer.content.decode()
    answer = edit(client, asked, cadence="yearly", rarer_because="Two hosts only")
    assert answer.status_code == 302


def test_retired_it_is_no_longer_asked_from_that_day(client, house):
    client.force_login(house.olivia)
    asked = house.requirement()
    RequirementControl.objects.filter(pk=asked.pk).update(
        operates_from=TODAY - dt.timedelta(days=90)
    )
    factories.ask_for(
        asked.implementation, "Second look", operates_from=asked.operates_from
    )
    url = reverse("evidence:requirement_retire", args=["shop", asked.uuid])
    assert client.post(url, {"until": TODAY, "reason": ""}).status_code == 422
    assert client.post(url, {"until": TODAY, "reason": "Merged"}).status_code == 302
    asked.refresh_from_db()
    assert asked.operates_until == TODAY
    page = client.get(reverse("evidence:control", args=["shop", "cm-8"]))
    assert f'id="asked-{asked.uuid}"' not in page.content.decode()
    assert client.post(url, {"until": TODAY, "reason": "x"}).status_code == 409


def test_the_order_of_two_ends_leaves_nobody_alone_with_the_last_ask(client, house):
    """R11: one is retired for next month while the other still asks, then the other
    for next week: from next month on nothing asks, so a second officer decides."""
    client.force_login(house.olivia)
    asked = house.requirement()
    other = factories.ask_for(
        asked.implementation, "Second look", operates_from=asked.operates_from
    )
    later = {"until": TODAY + dt.timedelta(days=40), "reason": "Merged"}
    url = reverse("evidence:requirement_retire", args=["shop", asked.uuid])
    client.post(url, later)
    asked.refresh_from_db()
    assert asked.operates_until == later["until"]
    sooner = {"until": TODAY + dt.timedelta(days=7), "reason": "Merged"}
    url = reverse("evidence:requirement_retire", args=["shop", other.uuid])
    client.post(url, sooner)
    other.refresh_from_db()
    assert other.operates_until is None
    assert RetrospectiveChange.objects.get().kind == "retire-last"


def test_templates_are_seen_before_they_are_applied(client, house):
    client.force_login(house.olivia)
    RequirementControl.objects.all().delete()
    url = reverse("evidence:requirement_templates", args=["shop"])
    page = client.get(url)
    assert len(page.context["proposed"]) > 0
    assert not RequirementControl.objects.exists()
    client.post(url)
    assert RequirementControl.objects.count() == len(page.context["proposed"])
    assert "asked of every half" in client.get(url).content.decode()


@pytest.mark.parametrize(
    ("name", "status"),
    [("alice", 403), ("rita", 403), ("audrey", 403), ("mallory", 404)],
)
def test_others_tune_nothing(client, house, name, status):
    asked = house.requirement()
    client.force_login(house.people[name])
    assert edit(client, asked, title="Mine").status_code == status
    for route, key in (
        ("requirement_new", "cm-8"),
        ("requirement_retire", asked.uuid),
    ):
        url = reverse(f"evidence:{route}", args=["shop", key])
        assert client.post(url, said()).status_code == status
    templates = reverse("evidence:requirement_templates", args=["shop"])
    assert client.post(templates).status_code == status
    asked.refresh_from_db()
    assert asked.title != "Mine"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "slug", ["fedramp-low", "fedramp-moderate", "fedramp-high", "fedramp-li-saas"]
)
def test_r18_no_template_asks_less_often_than_the_baseline(slug, oscar):
    system = factories.make_system(
        oscar, slug="r18", baseline=Baseline.objects.get(slug=slug)
    )
    RequirementControl.objects.filter(system=system).delete()
    said_by = dict(
        BaselineControl.objects.filter(baseline=system.baseline).values_list(
            "control_id", "parameters"
        )
    )
    rows = proposed(System.objects.get(pk=system.pk), since=TODAY)
    assert rows
    for row in rows:
        asked = odp_frequency.stated_frequency(
            said_by[row.implementation.control_id] or {}
        )
        if asked:
            assert not odp_frequency.less_frequent(row.cadence, asked.cadence), row
            assert row.cadence_source.startswith(f"Parameter {asked.parameter}: ")
        elif row.cadence_source:
            # Without a frequency that we could read, a template made for this very
            # control may name the parameter; a family's template may not.
            label = row.implementation.control.label
            assert row.cadence_source.startswith(f"FedRAMP {label}"), row


def test_r18_outside_fedramp_no_source_is_fedramps(oscar):
    system = factories.make_system(
        oscar, slug="r18-nist", baseline=Baseline.objects.get(slug="nist-high")
    )
    RequirementControl.objects.filter(system=system).delete()
    rows = proposed(System.objects.get(pk=system.pk), since=TODAY)
    assert len(rows) > 200
    assert [row for row in rows if "FedRAMP" in row.cadence_source] == []


@pytest.mark.parametrize(
    ("text", "cadence"),
    [
        ("at least weekly", "weekly"),
        ("at least monthly ", "monthly"),
        (
            "monthly operating system/infrastructure; monthly web applications",
            "monthly",
        ),
        ("quarterly for privileged access, annually for the rest", "quarterly"),
        ("at least annually and when a significant change occurs", "yearly"),
        ("at a minimum, annually", "yearly"),
        ("functional, at least annually", "yearly"),
        ("frequency as before first use and annually thereafter", "yearly"),
        ("at least every six (6) months, including functional", "half-yearly"),
        ("at least every ninety (90) days", "quarterly"),
        ("at least every 180 days or whenever there is a change", "half-yearly"),
        ("at least every 3 years", None),
        ("within thirty (30) days of release of updates", None),
        ("at least two (2) years", None),
        ("twenty-four (24) hours", None),
        ("daily incremental; weekly full", None),
        ("", None),
    ],
)
def test_a_parameter_says_how_often(text, cadence):
    assert odp_frequency.cadence_of(text) == cadence


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=40), max_size=4))
def test_whatever_a_parameter_says_it_is_read_or_passed_over(values):
    found = odp_frequency.stated_frequency(values)
    assert found is None or found.cadence in odp_frequency.FREQUENCY
