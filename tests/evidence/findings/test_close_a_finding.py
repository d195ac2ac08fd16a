"""R28, R32, R36: a finding ages by its severity, stays open until a second person
accepts evidence that was reviewed, and nothing else makes its control green."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls.models import AuditEvent, System
from evidence.models import DispositionDecision, EvidenceLink
from tests import factories
from tests.evidence.findings.hands import (
    DAY,
    FOUND,
    asked_for,
    decided,
    found,
    mended,
    observed,
    post,
    proven,
)
from tests.evidence.reviews.hands import accepted
from tests.evidence.scenarios.stage import ask_only, bring, codes, told
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
D = dt.date


@pytest.fixture
def system(oscar):
    baseline = factories.make_baseline(("ac-2", "ac-12", "si-2"), slug="three")
    return factories.make_system(oscar, baseline=baseline)


@pytest.fixture
def shown(system, alice, rita):
    """AC-12 is proven by monthly evidence."""
    return proven(system, "ac-12", by=alice, reviewer=rita)


@pytest.mark.parametrize(
    ("severity", "due"),
    [("high", D(2026, 12, 2)), ("moderate", D(2027, 1, 31)), ("low", D(2027, 5, 1))],
)
def test_ages_and_due_days(system, shown, oscar, as_user, severity, due):
    """R36: 30, 90 and 180 days; overdue from the day after, on the day asked about."""
    browser = as_user(oscar)
    finding = found(system, "ac-12", oscar, severity=severity)
    detail = reverse("finding-detail", args=[finding.uuid])

    def on(day: dt.date) -> tuple[str, int, int]:
        answer = browser.get(detail, {"on": str(day)}).json()
        assert answer["due_on"] == str(due)
        return answer["state"], answer["age_days"], answer["overdue_days"]

    assert on(FOUND) == ("open", 0, 0)
    assert on(due) == ("open", (due - FOUND).days, 0)
    assert on(due + DAY) == ("overdue", (due - FOUND).days + 1, 1)
    in_time = codes(told(browser, system, "ac-12", due))
    assert "open_finding" in in_time
    assert "poam_overdue" not in in_time
    assert "poam_overdue" in codes(told(browser, system, "ac-12", due + DAY))
    assert "open_finding" not in codes(told(browser, system, "ac-12", FOUND - DAY))
    listed = reverse("evidence:findings", args=[system.slug])
    late = browser.get(listed, {"on": str(due + DAY)}).text
    assert "1 open, 1 overdue" in late
    assert "1 day overdue" in late
    assert "1 open, 0 overdue" in browser.get(listed, {"on": str(due)}).text
    page = browser.get(reverse("evidence:finding", args=[finding.uuid]))
    assert str(due) in page.text


def test_closed_with_evidence_by_two_persons(
    system, shown, as_user, audrey, alice, oscar, olga, rita
):
    """R28, R32: the auditor finds, the team mends and asks, an officer decides; closed
    from the day of that decision, on the page and in the verdict; in the log."""
    finding = found(system, "ac-12", audrey)
    link = mended(system, "ac-12", by=alice)
    browser = as_user(alice)
    new = reverse("evidence:finding_dispose", args=[finding.uuid])
    assert link.revision.evidence.title in browser.get(new).text
    body = {"kind": "closure", "link": link.uuid, "text": "Mended."}
    assert browser.post(new, body).status_code == 302
    assert told(browser, system, "ac-12", TODAY)["verdict"] == "partly"
    disposition = finding.dispositions.get()
    decide = reverse("evidence:disposition_decide", args=[disposition.uuid])
    work = as_user(olga)
    assert finding.title in work.get(reverse("evidence:work")).text
    refused = work.post(decide, {"decision": "accept"})
    assert refused.status_code == 409
    assert "is not accepted" in refused.text
    link.accept(by=rita)
    assert work.post(decide, {"decision": "accept"}).status_code == 302
    assert told(work, system, "ac-12", TODAY)["verdict"] == "proven"
    assert "open_finding" in codes(told(work, system, "ac-12", TODAY - DAY))
    before = {"known_at": finding.known_from.isoformat()}
    url = reverse("system-control", args=[system.slug, "ac-12"])
    assert "open_finding" not in codes(work.get(url, before).json())
    before = {"known_at": disposition.decision.known_from.isoformat()}
    assert "open_finding" in codes(work.get(url, before).json())
    answer = work.get(reverse("finding-detail", args=[finding.uuid])).json()
    assert (answer["state"], answer["closed_on"]) == ("closed", str(TODAY))
    assert work.post(decide, {"decision": "accept"}).status_code == 409
    verbs = AuditEvent.objects.filter(subject_uuid=finding.uuid) | (
        AuditEvent.objects.filter(verb__startswith="disposition.")
    )
    assert set(verbs.values_list("verb", flat=True)) == {
        "finding.recorded",
        "disposition.requested",
        "disposition.decided",
    }


def test_what_closes_nothing(system, shown, alice, oscar):
    """R28: older evidence, another control's, a draft, rejected or withdrawn."""
    finding = found(system, "ac-12", oscar, found_on=TODAY)
    other = ask_only(system, "ac-2", "Report ac-2", cadence="monthly")
    month = (TODAY.replace(day=1), TODAY)
    elsewhere = bring(other, about=month, performed_on=TODAY, by=alice)
    for link in (shown, elsewhere, None):
        with pytest.raises(ValidationError, match="Name evidence of this control"):
            asked_for(finding, "closure", oscar, link=link)
    link = mended(system, "ac-12", by=alice)
    for state in ("draft", "rejected", "withdrawn", "void"):
        EvidenceLink.objects.filter(pk=link.pk).update(state=state)
        with pytest.raises(ValidationError, match="Name evidence of this control"):
            asked_for(finding, "closure", oscar, link=link)


def test_nobody_closes_alone(system, shown, alice, oscar, olga, rita, audrey):
    """R32: not who found it, who asked, now or before, or who brought the evidence,
    neither through the verb nor in the database."""
    factories.give_role(alice, system, "reviewer")
    observation = observed(system, "ac-12", audrey, observed_on=FOUND)
    finding = found(system, "ac-12", oscar, observation=observation)
    link = mended(system, "ac-12", by=alice)
    accepted(link)
    decided(asked_for(finding, "false-positive", olga), rita, "reject")
    closing = asked_for(finding, "closure", oscar, link=link)
    for person in (oscar, olga, alice, audrey):
        with pytest.raises(ValidationError) as refusal:
            decided(closing, person)
        assert refusal.value.status_code == 403
    for person in (oscar, olga, alice, audrey):
        with pytest.raises(IntegrityError), transaction.atomic():
            DispositionDecision.objects.create(
                disposition=closing,
                system=system,
                reviewer=person,
                requested_by=rita,
                recorded_by=rita,
                decision="accept",
                decided_on=TODAY,
                reviewer_name="x",
            )
    decided(closing, rita)


def test_evidence_that_counts_no_more_opens_it_again(
    system, shown, as_user, alice, oscar, olga, rita
):
    """R28, R31: withdrawn later, the finding is open, and may be closed anew."""
    browser = as_user(oscar)
    finding = found(system, "ac-12", oscar)
    link = mended(system, "ac-12", by=alice)
    link.accept(by=rita)
    decided(asked_for(finding, "closure", oscar, link=link), olga)
    detail = reverse("finding-detail", args=[finding.uuid])
    assert browser.get(detail).json()["state"] == "closed"
    link.refresh_from_db()
    link.withdraw(by=alice, reason="It was of another month.")
    assert browser.get(detail).json()["state"] == "open"
    assert "open_finding" in codes(told(browser, system, "ac-12", TODAY))
    again = mended(system, "ac-12", by=alice, on=TODAY - DAY)
    again.accept(by=rita)
    decided(asked_for(finding, "closure", oscar, link=again), olga)
    assert browser.get(detail).json()["state"] == "closed"


def test_deviations(system, shown, as_user, oscar, olga):
    """R36: a false positive never counted; a risk adjustment moves the due day; an
    operational requirement has none, and stays open."""
    browser = as_user(oscar)

    def after(kind: str, **said) -> tuple[dict, set[str]]:
        finding = found(system, "ac-12", oscar, found_on=TODAY - 40 * DAY)
        detail = reverse("finding-detail", args=[finding.uuid])
        assert browser.get(detail).json()["state"] == "overdue"
        disposition = asked_for(finding, kind, oscar, **said)
        assert browser.get(detail).json()["state"] == "overdue"  # it only waits
        decided(disposition, olga)
        answer = (
            browser.get(detail).json(),
            codes(told(browser, system, "ac-12", TODAY)),
        )
        return answer

    with transaction.atomic():
        finding, reasons = after("false-positive")
        assert finding["state"] == "false-positive"
        assert not {"open_finding", "poam_overdue"} & reasons
        transaction.set_rollback(True)
    with transaction.atomic():
        finding, reasons = after("risk-adjustment", severity="moderate")
        assert (finding["state"], finding["severity"]) == ("open", "moderate")
        assert finding["due_on"] == str(TODAY + 50 * DAY)
        assert "open_finding" in reasons
        assert "poam_overdue" not in reasons
        transaction.set_rollback(True)
    finding, reasons = after("operational-requirement")
    assert (finding["state"], finding["due_on"]) == ("open", None)
    assert "open_finding" in reasons
    assert "poam_overdue" not in reasons


def test_the_authorizing_official_agrees_to_a_deviation(system, oscar, olga, as_user):
    """R36: in a FedRAMP system, at page and API, and it is kept."""
    System.objects.filter(pk=system.pk).update(regime="fedramp")
    finding = found(system, "ac-12", oscar)
    waits = asked_for(finding, "false-positive", oscar)
    browser = as_user(olga)
    page = browser.get(reverse("evidence:finding", args=[finding.uuid]))
    assert "authorizing official" in page.text
    decide = reverse("evidence:disposition_decide", args=[waits.uuid])
    assert browser.post(decide, {"decision": "accept"}).status_code == 400
    answer = post(browser, "disposition-decide", {"decision": "accept"}, waits.uuid)
    assert answer.status_code == 400
    assert "official" in answer.content.decode()
    said = {"decision": "accept", "official": "J. Doe, 20 Nov, ticket 12"}
    assert browser.post(decide, said).status_code == 302
    page = browser.get(reverse("evidence:finding", args=[finding.uuid]))
    assert "J. Doe, 20 Nov, ticket 12" in page.text


# What becomes of asking for a closure, by what the finding met before.
STATES = {
    "open": 201,
    "waiting": 409,
    "rejected": 201,
    "adjusted": 201,
    "operational": 201,
    "closed": 409,
    "false-positive": 409,
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_meets_every_step(
    system, shown, oscar, olga, rita, alice, as_user, state
):
    """R32: asked at page and API alike; a decision taken twice, or once the finding is
    over, is refused."""
    finding = found(system, "ac-12", oscar)
    link = mended(system, "ac-12", by=alice)
    link.accept(by=rita)
    kinds = {
        "adjusted": ("risk-adjustment", {"severity": "low"}),
        "operational": ("operational-requirement", {}),
        "false-positive": ("false-positive", {}),
    }
    if state != "open":
        kind, said = kinds.get(state, ("closure", {"link": link}))
        disposition = asked_for(finding, kind, oscar, **said)
    if state not in {"open", "waiting"}:
        decided(disposition, olga, "reject" if state == "rejected" else "accept")
        for decision in ("accept", "reject"):
            with pytest.raises(ValidationError) as refusal:
                decided(disposition, olga, decision)
            assert refusal.value.status_code == 409
    browser = as_user(oscar)
    body = {"kind": "closure", "link": str(link.uuid), "text": "Mended."}
    ask = reverse("evidence:finding_dispose", args=[finding.uuid])
    with transaction.atomic():
        answer = post(browser, "finding-dispositions", body, finding.uuid)
        assert answer.status_code == STATES[state], answer.content
        transaction.set_rollback(True)
    assert browser.post(ask, body).status_code == {201: 302, 409: 409}[STATES[state]]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"found_on": TODAY + DAY}, "found_on"),
        ({"found_on": D(1989, 12, 31)}, "found_on"),
        ({"severity": "grave"}, "severity"),
        ({"title": " "}, "title"),
        ({"source": " "}, "source"),
        ({"part": "nothing"}, "part"),
    ],
)
def test_what_cannot_be_so_is_refused(system, oscar, as_user, said, field):
    """R36: page and API name the field; nobody makes it due later by a day to come."""
    body = {"title": "T", "severity": "low", "found_on": FOUND, "source": "S"}
    body |= {"text": "Because."} | said
    browser = as_user(oscar)
    new = reverse("evidence:finding_new", args=[system.slug, "ac-2"])
    assert browser.post(new, body).status_code == 400
    body |= {"system": system.slug, "control_id": "ac-2"}
    answer = post(browser, "finding-list", body | {"found_on": str(body["found_on"])})
    assert answer.status_code == 400
    assert field in answer.content.decode()


def test_an_adjustment_to_the_same_severity(system, oscar):
    with pytest.raises(ValidationError, match="has that severity already"):
        asked_for(
            found(system, "ac-12", oscar), "risk-adjustment", oscar, severity="high"
        )


def test_days_of_a_window_that_a_finding_was_open(
    system, shown, as_user, oscar, olga, rita, alice
):
    """R15, R28: they are listed with their reason, whatever the last day says."""
    finding = found(system, "ac-12", oscar)
    link = mended(system, "ac-12", by=alice)
    link.accept(by=rita)
    decided(asked_for(finding, "closure", oscar, link=link), olga)
    observed(system, "si-2", oscar)
    browser = as_user(oscar)
    page = browser.get(reverse("evidence:control", args=[system.slug, "ac-12"]))
    assert "21 days from 2026-11-02 to 2026-11-22" in page.text
    seen = browser.get(reverse("evidence:control", args=[system.slug, "si-2"]))
    assert "8 days from 2026-11-16 to 2026-11-23: it was seen to fail" in seen.text


def test_pages_cost_the_same_for_many(system, oscar, olga, as_user):
    """Statements of the lists and of My work do not grow with the findings."""

    def statements(path: str, person) -> int:
        browser = as_user(person)
        browser.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(path).status_code == 200
        return len(queries)

    paths = [
        (reverse("evidence:findings", args=[system.slug]), oscar),
        (reverse("evidence:work"), olga),
        (reverse("finding-list"), oscar),
        (reverse("observation-list"), oscar),
    ]

    def more() -> None:
        asked_for(found(system, "ac-12", oscar), "false-positive", oscar)
        asked_for(observed(system, "ac-2", oscar), "explained", oscar)

    more()
    before = [statements(*path) for path in paths]
    for _ in range(4):
        more()
    assert [statements(*path) for path in paths] == before
