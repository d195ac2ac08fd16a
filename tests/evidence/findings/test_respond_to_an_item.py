"""R36: what is late, missed, waived, unasked, open or deviating has a response of the
company, accepted by a second person, beside it; it changes no count and no result."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls.models import AuditEvent
from evidence.findings.responses import decide_response, items_answered, respond
from evidence.models import ItemResponse, ResponseDecision
from evidence.status.rows import Moment
from tests import factories
from tests.evidence.findings.hands import post
from tests.evidence.scenarios.stage import ask_only, bring, told
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
D = dt.date
BODY = {
    "cause": "The tool was down.",
    "effect": "Nothing got in: the log of the gateway.",
    "measures": "Checked by hand until it was mended.",
    "owner": "Platform",
}


@pytest.fixture
def system(oscar):
    baseline = factories.make_baseline(("ac-2", "ac-12", "si-2"), slug="three")
    return factories.make_system(oscar, baseline=baseline)


@pytest.fixture
def window(system):
    return system.window_start, system.window_end


@pytest.fixture
def asked(system):
    """AC-12, monthly: January to October missed."""
    return ask_only(system, "ac-12", "Report", cadence="monthly")


def items(system, window, ref_id: str = "ac-12"):
    control = factories.implementation(system, ref_id)
    return items_answered(system, Moment(TODAY), window, implementations=[control])


def september(system, window):
    (row,) = [
        row
        for row in items(system, window)
        if (row.item.starts, row.item.ends) == (D(2026, 9, 1), D(2026, 9, 30))
    ]
    return row


def written(system, window, by, **said) -> ItemResponse:
    control = factories.implementation(system, "ac-12")
    key = september(system, window).item.key
    return respond(control, key, window, **(BODY | said), by=by)


def test_on_pages(system, window, asked, as_user, alice, rita, audrey):
    """R36: the team responds, a reviewer accepts, the auditor reads it beside the item;
    no count moves."""
    item = september(system, window).item
    assert item.kind == "missed"
    before = told(as_user(audrey), system, "ac-12", TODAY)
    browser = as_user(alice)
    listed = reverse("evidence:responses", args=[system.slug])
    new = reverse("evidence:response_new", args=[system.slug, "ac-12", item.key])
    page = browser.get(listed).text
    assert new in page
    assert f"{len(items_of(system, window))} without an accepted" in page
    assert browser.post(new, BODY).status_code == 302
    assert browser.post(new, BODY | {"cause": "Else."}).status_code == 409
    response = ItemResponse.objects.get()
    decide = reverse("evidence:response_decide", args=[response.uuid])
    reviewer = as_user(rita)
    assert BODY["cause"] in reviewer.get(reverse("evidence:work")).text
    assert reviewer.post(decide, {"decision": "accept"}).status_code == 302
    assert reviewer.post(decide, {"decision": "accept"}).status_code == 409
    auditor = as_user(audrey)
    control = reverse("evidence:control", args=[system.slug, "ac-12"])
    for address in (f"{listed}?answer=answered", control):
        text = auditor.get(address).text
        assert BODY["measures"] in text
        assert "accepted by Rita" in text
        assert new not in text
    open_ones = len(items_of(system, window)) - 1
    for query, number in [
        ({"answer": "answered"}, 1),
        ({"answer": "open"}, open_ones),
        ({"answer": "waiting"}, 0),
        ({"kind": "missed", "q": "ac-12", "answer": "answered"}, 1),
        ({"kind": "deviation"}, 0),
        ({"kind": "x"}, open_ones + 1),
    ]:
        assert auditor.get(listed, query).context["page"].paginator.count == number
    first = auditor.get(listed)
    assert len(first.context["page"].object_list) == 25
    assert not any(row.is_answered for row in first.context["page"])
    whole = auditor.get(listed, {"whole": "yes"}).context["page"].object_list
    assert [row.is_answered for row in whole] == [False] * open_ones + [True]
    after = told(auditor, system, "ac-12", TODAY)
    assert after["period"] == before["period"]
    verbs = AuditEvent.objects.filter(verb__startswith="response.")
    assert set(verbs.values_list("verb", flat=True)) == {
        "response.written",
        "response.decided",
    }


def items_of(system, window):
    return items_answered(system, Moment(TODAY), window)


def test_over_the_api(system, window, asked, as_user, oscar, olga):
    """R32, R36: written by an officer, decided by another one, on both clocks."""
    browser = as_user(oscar)
    route = reverse("api_responses", args=[system.slug])
    rows = [row for row in browser.get(route).json() if row["control_id"] == "ac-12"]
    item = september(system, window).item.key
    body = BODY | {"control_id": "AC-12", "item": item}
    assert item in [row["item"] for row in rows]
    made = post(browser, "api_responses", body, system.slug)
    assert made.status_code == 201, made.content
    uuid = made.json()["uuid"]
    accept = {"decision": "accept"}
    assert post(browser, "response-decide", accept, uuid).status_code == 403
    assert post(as_user(olga), "response-decide", accept, uuid).status_code == 200

    def shown(**clocks):
        listed = browser.get(route, clocks).json()
        (row,) = [r for r in listed if r["item"] == item]
        return row["response"] and row["response"]["cause"]

    assert shown() == BODY["cause"]
    decided = ResponseDecision.objects.get().known_from.isoformat()
    assert shown(known_at=decided) is None


def test_a_missed_period_keeps_its_response_when_it_is_performed_late(
    system, window, asked, alice, oscar, rita, olga
):
    response = written(system, window, oscar)
    decide_response(response, decision="accept", by=olga)
    days = (D(2026, 9, 1), D(2026, 9, 30))
    link = bring(asked, about=days, performed_on=D(2026, 11, 20), by=alice)
    link.accept(by=rita)
    row = september(system, window)
    assert (row.item.kind, row.accepted) == ("late", response)


def test_days_that_were_not_asked_and_not_covered(system, window, oscar):
    """R11, R36: a control of which nothing is asked, and providers' open days."""
    asked = factories.requirement(system, "ac-12")
    asked.operates_from = D(2026, 3, 1)
    asked.save(update_fields=["operates_from"])
    kinds = {row.item.kind for row in items_of(system, window)}
    assert {"unasked", "open"} <= kinds
    (days,) = [r.item for r in items(system, window) if r.item.kind == "unasked"]
    assert (days.starts, days.ends) == (D(2026, 1, 1), D(2026, 2, 28))


def test_nobody_accepts_an_own_response(system, window, asked, oscar, olga, rita):
    """R32: nor one to an item that one has responded to before; nor the database."""
    first = written(system, window, olga)
    decide_response(first, decision="reject", reason="No cause.", by=rita)
    second = written(system, window, oscar)
    for person in (oscar, olga):
        with pytest.raises(ValidationError) as refusal:
            decide_response(second, decision="accept", by=person)
        assert refusal.value.status_code == 403
        with pytest.raises(IntegrityError), transaction.atomic():
            ResponseDecision.objects.create(
                response=second,
                system=system,
                reviewer=person,
                responded_by=rita,
                decision="accept",
                decided_on=TODAY,
                reviewer_name="x",
            )
    decide_response(second, decision="accept", by=rita)


def test_what_is_refused(system, window, asked, oscar, olga, rita):
    """No item of that key, nothing said, twice, a rejection without a reason."""
    control = factories.implementation(system, "ac-12")
    with pytest.raises(ValidationError, match="look at the list again"):
        respond(control, "0" * 16, window, **BODY, by=oscar)
    for name in BODY:
        with pytest.raises(ValidationError):
            written(system, window, oscar, **{name: "  "})
    with pytest.raises(ValidationError, match="officer or the owner team"):
        written(system, window, rita)
    response = written(system, window, oscar)
    with pytest.raises(ValidationError, match="waits for a second person"):
        written(system, window, olga)
    with pytest.raises(ValidationError, match="says why"):
        decide_response(response, decision="reject", by=rita)


def test_the_newest_accepted_response_counts(system, window, asked, oscar, olga, rita):
    first, second = written(system, window, oscar), None
    decide_response(first, decision="accept", by=rita)
    second = written(system, window, olga, cause="It was found out since.")
    assert september(system, window).accepted == first
    decide_response(second, decision="accept", by=rita)
    assert september(system, window).accepted == second


def test_the_list_costs_the_same_for_many(system, window, asked, as_user, alice):
    """Statements do not grow with the items or the responses."""
    browser = as_user(alice)
    address = reverse("evidence:responses", args=[system.slug])

    def statements() -> int:
        browser.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(address).status_code == 200
        return len(queries)

    before = statements()
    control = factories.implementation(system, "ac-12")
    for row in items(system, window)[:4]:
        respond(control, row.item.key, window, **BODY, by=alice)
    assert statements() == before
