"""R28, R32: what an officer or an auditor saw fail contradicts the evidence until a
finding takes its place, or a second person accepts an explanation."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from controls.models import AuditEvent
from evidence.models import (
    Disposition,
    DispositionDecision,
    FailingObservation,
    Finding,
)
from tests import factories, one_day
from tests.evidence.findings.hands import (
    DAY,
    SAID,
    SEEN,
    TOO_LONG,
    asked_for,
    decided,
    found,
    observed,
    post,
    proven,
)
from tests.evidence.scenarios.stage import codes, told
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def system(oscar):
    baseline = factories.make_baseline(("ac-2", "ac-12", "si-2"), slug="three")
    return factories.make_system(oscar, baseline=baseline)


@pytest.fixture
def shown(system, alice, rita):
    """AC-12 is proven by monthly evidence."""
    return proven(system, "ac-12", by=alice, reviewer=rita)


def test_an_auditor_records_on_the_page_and_the_verdict_falls(
    system, shown, as_user, audrey, oscar
):
    """R28: proven before, `contradicted` after, also on the page; in the log."""
    browser = as_user(audrey)
    assert told(browser, system, "ac-12", TODAY)["verdict"] == "proven"
    page = reverse("evidence:control", args=[system.slug, "ac-12"])
    new = reverse("evidence:observation_new", args=[system.slug, "ac-12"])
    assert new in browser.get(page).text
    answer = browser.post(new, {"observed_on": SEEN, **SAID}, follow=True)
    assert "two leavers could still sign in" in answer.text.lower()
    assert "Explain it" not in answer.text  # officers do
    told_now = told(browser, system, "ac-12", TODAY)
    assert (told_now["customer_half"], told_now["verdict"]) == ("proven", "partly")
    assert "contradicted" in codes(told_now)
    text = browser.get(page).text
    assert "It was seen to fail on 2026-11-16" in text
    assert "seen to fail on" in text
    assert "Access test 7" in text
    event = AuditEvent.objects.get(verb="observation.recorded")
    assert event.actor == audrey


def test_both_clocks(system, shown, as_user, oscar, rita, olga):
    """R28, R31: on days before it, and as known before, nothing stood against it; an
    accepted explanation acts on every day, as known from then."""
    browser = as_user(oscar)
    observation = observed(system, "ac-12", oscar)

    def contradicted(on: dt.date, **known: str) -> bool:
        url = reverse("system-control", args=[system.slug, "ac-12"])
        answer = browser.get(url, {"on": str(on), **known}).json()
        return "contradicted" in codes(answer)

    assert contradicted(SEEN)
    assert contradicted(TODAY)
    assert not contradicted(SEEN - DAY)
    before = observation.known_from.isoformat()
    assert not contradicted(TODAY, known_at=before)
    decided(asked_for(observation, "explained", oscar), olga)
    assert not contradicted(SEEN)
    assert told(browser, system, "ac-12", TODAY)["verdict"] == "proven"


def test_over_the_api(system, shown, as_user, oscar, rita):
    """R28, R32: recorded, explained by an officer, decided by a reviewer."""
    browser = as_user(oscar)
    body = {"system": system.slug, "control_id": "AC-12", "observed_on": str(SEEN)}
    made = post(browser, "observation-list", body | SAID)
    assert made.status_code == 201, made.content
    assert made.json()["state"] == "open"
    uuid = made.json()["uuid"]
    why = {"kind": "explained", "text": "Test accounts, kept on purpose."}
    asked = post(browser, "observation-dispositions", why, uuid)
    assert asked.status_code == 201, asked.content
    again = post(browser, "observation-dispositions", why, uuid)
    assert again.status_code == 409
    accept = {"decision": "accept"}
    decide = ("disposition-decide", accept, asked.json()["uuid"])
    assert post(browser, *decide).status_code == 403
    assert told(browser, system, "ac-12", TODAY)["verdict"] == "partly"
    assert post(as_user(rita), *decide).status_code == 200
    assert post(as_user(rita), *decide).status_code == 409
    assert told(browser, system, "ac-12", TODAY)["verdict"] == "proven"
    shown_now = browser.get(reverse("observation-detail", args=[uuid])).json()
    assert shown_now["state"] == "explained"
    recorded = FailingObservation.objects.get().known_from
    past = {"on": str(TODAY), "known_at": recorded.isoformat()}
    then = browser.get(reverse("observation-detail", args=[uuid]), past)
    assert then.status_code == 404
    listed = browser.get(reverse("observation-list"), {"system": system.slug}).json()
    assert [row["uuid"] for row in listed["results"]] == [uuid]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"observed_on": TODAY + DAY}, "observed_on"),
        ({"observed_on": dt.date(1989, 12, 31)}, "observed_on"),
        ({"source": " "}, "source"),
        ({"text": " "}, "text"),
        ({"text": TOO_LONG}, "text"),
        ({"part": "ac-2_smt.zz"}, "part"),
        ({"part": "si-2_smt.a"}, "part"),
    ],
)
def test_what_cannot_be_so_is_refused(system, oscar, as_user, said, field):
    """Page and API name the field, and nothing is recorded."""
    browser = as_user(oscar)
    body = {"observed_on": SEEN, **SAID, **said}
    new = reverse("evidence:observation_new", args=[system.slug, "ac-2"])
    assert browser.post(new, body).status_code == 400
    body |= {"system": system.slug, "control_id": "ac-2"}
    body["observed_on"] = str(body["observed_on"])
    answer = post(browser, "observation-list", body)
    assert answer.status_code == 400
    assert field in answer.content.decode()
    assert not FailingObservation.objects.exists()


def test_a_part_of_a_control(system, oscar, as_user):
    observation = observed(system, "ac-2", oscar, part="ac-2_smt.j")
    page = as_user(oscar).get(reverse("evidence:observation", args=[observation.uuid]))
    assert "ac-2_smt.j" in page.text


# Who meets which state: the observation's, and what becomes of a step taken then.
STATES = {
    # asking to explain, writing a finding
    "open": (201, 201),
    "waiting": (409, 201),
    "rejected": (201, 201),
    "explained": (409, 201),
    "finding": (409, 409),
}


def brought_to(state: str, system, oscar, olga) -> FailingObservation:
    observation = observed(system, "ac-12", oscar)
    if state in {"waiting", "rejected", "explained"}:
        disposition = asked_for(observation, "explained", oscar)
    if state in {"rejected", "explained"}:
        decided(disposition, olga, "accept" if state == "explained" else "reject")
    if state == "finding":
        found(system, "ac-12", oscar, observation=observation)
    return observation


@pytest.mark.parametrize("state", STATES)
def test_every_state_meets_every_step(system, oscar, olga, as_user, state):
    """R28, R32: 409 where the state does not allow it, at page and API alike."""
    explaining, finding = STATES[state]
    observation = brought_to(state, system, oscar, olga)
    browser = as_user(oscar)
    pages = {201: 302, 409: 409}
    body = {"title": "T", "severity": "low", "text": "Because."}
    new = reverse("evidence:finding_new", args=[system.slug, "ac-12"])
    explain = reverse("evidence:observation_dispose", args=[observation.uuid])
    why = {"kind": "explained", "text": "Because."}
    for post_it, statuses in (
        (lambda: browser.post(explain, why), (pages[explaining],)),
        (
            lambda: post(browser, "observation-dispositions", why, observation.uuid),
            (explaining,),
        ),
        (
            lambda: browser.post(
                f"{new}?observation={observation.uuid}", body | {"source": "x"}
            ),
            (pages[finding],),
        ),
        (
            lambda: post(
                browser,
                "finding-list",
                body
                | {
                    "system": system.slug,
                    "control_id": "ac-12",
                    "observation": str(observation.uuid),
                },
            ),
            (finding,),
        ),
    ):
        with transaction.atomic():
            status = post_it().status_code
            transaction.set_rollback(True)
        assert status in statuses


def test_a_finding_takes_the_place_and_the_day_of_an_observation(
    system, shown, oscar, olga, as_user
):
    """R28, R36: what was seen on 16 November is due from then, however late it is
    written; an explanation that waited decides nothing any more."""
    observation = observed(system, "ac-12", oscar)
    waits = asked_for(observation, "explained", oscar)
    finding = found(system, "ac-12", oscar, observation=observation, found_on=TODAY)
    assert finding.found_on == SEEN
    browser = as_user(oscar)
    reasons = codes(told(browser, system, "ac-12", TODAY))
    assert "open_finding" in reasons
    assert "contradicted" not in reasons
    decide = ("disposition-decide", {"decision": "accept"}, waits.uuid)
    assert post(as_user(olga), *decide).status_code == 409
    page = browser.get(reverse("evidence:observation", args=[observation.uuid]))
    assert finding.title in page.text


def test_who_recorded_it_never_explains_it_away(system, oscar, olga, rita, audrey):
    """R32: neither who recorded nor who ever asked decides; nor by the database."""
    observation = observed(system, "ac-12", oscar)
    decided(asked_for(observation, "explained", olga), rita, "reject")
    second = asked_for(observation, "explained", oscar)
    for person in (oscar, olga, audrey):
        with pytest.raises(ValidationError) as refusal:
            decided(second, person)
        assert refusal.value.status_code == 403
    for person in (oscar, olga):
        with pytest.raises(IntegrityError), transaction.atomic():
            DispositionDecision.objects.create(
                disposition=second,
                system=system,
                reviewer=person,
                requested_by=rita,
                recorded_by=rita,
                decision="accept",
                decided_on=TODAY,
                reviewer_name="x",
            )
    decided(second, rita)


def test_an_ended_role_does_nothing(system, oscar, olga, rita, audrey, as_user):
    """AC-05: of an officer, an auditor and a reviewer whose days are over."""
    observation = observed(system, "ac-12", oscar)
    waits = asked_for(observation, "explained", oscar)
    ended = one_day.BEGINS - dt.timedelta(seconds=1)
    for person in (audrey, rita):
        person.memberships.update(ends_at=ended)
    body = {"system": system.slug, "control_id": "ac-12", "observed_on": str(SEEN)}
    browser = as_user(audrey)
    assert post(browser, "observation-list", body | SAID).status_code == 404
    decide = ("disposition-decide", {"decision": "accept"}, waits.uuid)
    assert post(as_user(rita), *decide).status_code == 404
    assert FailingObservation.objects.count() == 1


def test_contributors_and_reviewers_record_nothing(system, alice, rita, as_user):
    """R28: officers and auditors record what failed."""
    body = {"system": system.slug, "control_id": "ac-12", "observed_on": str(SEEN)}
    for person in (alice, rita):
        browser = as_user(person)
        assert post(browser, "observation-list", body | SAID).status_code == 403
        new = reverse("evidence:observation_new", args=[system.slug, "ac-12"])
        assert browser.get(new).status_code == 403
        page = browser.get(reverse("evidence:control", args=[system.slug, "ac-12"]))
        assert new not in page.text


def test_history_is_never_written_anew(system, oscar, rita, olga):
    """The database refuses to change or delete what was recorded and decided."""
    observation = observed(system, "ac-12", oscar)
    decided(asked_for(observation, "explained", oscar), olga)
    found(system, "ac-12", oscar)
    for model in (FailingObservation, Finding, Disposition, DispositionDecision):
        with pytest.raises(Exception, match=r"append|denied"), transaction.atomic():
            model.objects.update(known_from=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        with pytest.raises(Exception, match=r"append|denied"), transaction.atomic():
            model.objects.filter(pk__gt=0)._raw_delete("default")
