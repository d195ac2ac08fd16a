"""One act on many rows, each seen before: what it will do, or why not.

R18, R31, R32: bulk acts keep the rules of one row; AU-01: an event for each; AC-01:
only who may do it of one row; a preview writes nothing and is confirmed once.
"""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from controls.errors import Refused
from controls.models import ApplicabilityDecision, AuditEvent, BaselineControl
from controls.models import ControlImplementation as Control
from evidence.bulk_acts.act import sealed_choice
from evidence.bulk_acts.acts import ACTS
from evidence.models import EvidenceRequest, LetterAcceptance, RequirementControl
from tests import factories
from tests.one_day import TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
MANY = "/systems/payments/many/"


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Any) -> None:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False


@pytest.fixture
def officer(oscar: Any, system: Any) -> Client:
    return sign_in_just_now(Client(), oscar)


def words(answer: Any) -> str:
    """The page as one line without tags."""
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(unescape(text).split())


def choose(browser: Client, act: str, query: str = "", *ticked: str) -> str:
    """The address of the act's page for these controls."""
    answer = browser.post(f"{MANY}{query}", {"act": act, "ticked": list(ticked)})
    assert answer.status_code == 302, words(answer)
    return str(answer["Location"])


def token_of(answer: Any) -> str:
    return re.findall(r'name="token" value="([^"]+)"', answer.content.decode())[0]


def confirm(browser: Client, act: str, answer: Any) -> Any:
    body = {"token": token_of(answer)}
    return browser.post(f"{MANY}{act}/confirm/", body, follow=True)


def results(answer: Any) -> dict[str, str]:
    """By the label of its control, the last row of the preview as text."""
    rows = re.findall(r'<tr role="row"[^>]*>(.*?)</tr>', answer.content.decode(), re.S)
    lines = [" ".join(re.sub(r"<[^>]+>", " ", unescape(r)).split()) for r in rows[1:]]
    return {line.partition(" ")[0]: line for line in lines}


def test_an_owner_is_named_and_asks_follow(officer, system, oscar):
    data = factories.make_team("Data")
    page = choose(officer, "owner", "?family=ac", "ac-1", "ac-2")
    assert "Nobody" in words(officer.get(page))
    Control.objects.filter(system=system, control__ref_id="ac-1").update(
        owner_team=data
    )
    before = AuditEvent.objects.count()
    seen = officer.post(page, {"owner_team": data.pk})
    assert AuditEvent.objects.count() == before
    rows = results(seen)
    assert "unchanged Data owns it already." in rows["AC-1"]
    assert re.search(r"will change [1-9] asks? moves? to Data", rows["AC-2"])
    assert "Assign Data to 1 control" in words(seen)
    done = confirm(officer, "owner", seen)
    assert "Data owns 1 more control." in words(done)
    assert done.request["QUERY_STRING"] == "family=ac"
    event = AuditEvent.objects.filter(verb="implementation.described").latest("seq")
    assert (event.actor, AuditEvent.objects.count()) == (oscar, before + 1)
    again = confirm(officer, "owner", seen)
    assert "submitted before" in words(again)
    assert AuditEvent.objects.count() == before + 1


def test_what_changed_since_is_looked_at_again(officer, system):
    data = factories.make_team("Data")
    page = choose(officer, "owner", "", "ac-2")
    seen = officer.post(page, {"owner_team": data.pk})
    Control.objects.filter(system=system).update(owner_team=None)
    answer = confirm(officer, "owner", seen)
    assert answer.status_code == 409
    assert "Something changed since" in words(answer)
    assert not Control.objects.filter(owner_team=data).exists()


def test_status_is_stated_and_refused_with_the_reason(officer, system):
    page = choose(officer, "status", "", "ac-2", "pe-3")
    body = {"implementation_status": "planned", "stated_from": str(TODAY)}
    rows = results(officer.post(page, body))
    assert "Implemented Planned will change Replaces what was said" in rows["AC-2"]
    assert "refused No part of it is ours" in rows["PE-3"]
    done = confirm(officer, "status", officer.post(page, body))
    assert "“Planned” is stated of 1 control. 1 row was left as before." in words(done)


def test_r18_less_often_than_the_baseline_says_why(officer, system):
    BaselineControl.objects.filter(
        baseline=system.baseline, control__ref_id="si-2"
    ).update(parameters={"si-02_odp.01": "at least monthly"})
    page = choose(officer, "cadence", "", "si-2")
    seen = officer.post(page, {"cadence": "yearly"})
    assert "refused The baseline says “at least monthly”" in results(seen)["SI-2"]
    assert "Say why less often will do." in results(seen)["SI-2"]
    assert "None of these rows would change: choose other rows" in words(seen)
    because = {"cadence": "yearly", "rarer_because": "Two hosts in all."}
    seen = officer.post(page, because)
    assert "will change" in results(seen)["SI-2"]
    confirm(officer, "cadence", seen)
    asked = factories.requirement(system, "si-2")
    assert (asked.cadence, asked.rarer_because) == ("yearly", "Two hosts in all.")


def test_r18_a_reason_excuses_nothing_rarer_than_it_was_given_for(officer, system):
    BaselineControl.objects.filter(
        baseline=system.baseline, control__ref_id="si-2"
    ).update(parameters={"si-02_odp.01": "at least weekly"})
    page = choose(officer, "cadence", "", "si-2")
    because = {"cadence": "quarterly", "rarer_because": "Two hosts in all."}
    confirm(officer, "cadence", officer.post(page, because))
    rarer = results(officer.post(page, {"cadence": "yearly"}))["SI-2"]
    assert "refused The baseline says “at least weekly”" in rarer
    seen = officer.post(page, {"cadence": "monthly"})
    assert "will change" in results(seen)["SI-2"]
    confirm(officer, "cadence", seen)
    asked = factories.requirement(system, "si-2")
    assert (asked.cadence, asked.rarer_because) == ("monthly", "Two hosts in all.")


def test_a_cadence_holds_from_today_with_its_own_grace(officer, system):
    rows = RequirementControl.objects.filter(implementation__control__ref_id="at-2")
    RequirementControl.objects.filter(pk__in=rows).update(rarer_because="few")
    page = choose(officer, "cadence", "", "at-2", "si-2")
    seen = officer.post(page, {"cadence": "quarterly", "rarer_because": "Few people."})
    assert "Grace becomes 14 days." in words(seen)
    confirm(officer, "cadence", seen)
    changed = rows.get()
    assert (changed.cadence, changed.grace_days) == ("quarterly", 14)
    earlier = changed.ask.terms.get(days__contains=TODAY - DAY)
    assert earlier.cadence != "quarterly"
    assert AuditEvent.objects.filter(verb="requirement.changed").exists()
    same = officer.post(
        choose(officer, "cadence", "", "at-2"), {"cadence": "quarterly"}
    )
    assert "None of these rows would change: choose other rows" in words(same)


def test_each_team_gets_one_request(officer, system, alice):
    data = factories.make_team("Data")
    Control.objects.filter(system=system, control__ref_id="ac-2").update(
        owner_team=data
    )
    Control.objects.filter(system=system, control__ref_id="ac-1").update(
        owner_team=None
    )
    page = choose(officer, "request", "?family=ac")
    body = {"title_of_request": "Reviews of March", "due_on": str(TODAY + 7 * DAY)}
    seen = officer.post(page, body)
    rows = results(seen)
    assert "refused Nobody owns it" in rows["AC-1"]
    assert "refused Nobody uploads for Data" in rows["AC-2"]
    assert f"will change Platform is asked by {TODAY + 7 * DAY}." in rows["AC-4"]
    confirm(officer, "request", seen)
    request = EvidenceRequest.objects.get()
    assert (request.team.name, request.title) == ("Platform", "Reviews of March")
    assert request.controls.count() == sum("Platform is" in r for r in rows.values())
    passed = officer.post(page, body | {"due_on": str(TODAY - DAY)})
    assert passed.status_code == 422
    assert "That day has passed: choose today" in words(passed)


def test_r32_leaving_out_waits_for_another_officer(officer, system, oscar):
    page = choose(officer, "not-applicable", "", "at-2", "pe-3")
    body = {
        "justification": "Nobody works in this system.",
        "review_by": str(TODAY + 90 * DAY),
    }
    rows = results(officer.post(page, body))
    assert "refused This is inherited: AWS does it." in rows["PE-3"]
    assert "will change Waits for a second officer" in rows["AT-2"]
    confirm(officer, "not-applicable", officer.post(page, body))
    request = ApplicabilityDecision.objects.get()
    assert (request.state, request.requested_by) == ("requested", oscar)
    control = factories.implementation(system, "at-2")
    assert control.applicability == "na-requested"
    again = officer.post(page, body)
    assert "has already asked for this." in results(again)["AT-2"]


def test_r32_nobody_confirms_citations_of_their_own(officer, system, oscar, rita):
    artifact = factories.make_artifact(oscar, [], title="SOC 2 of AWS")
    report = factories.make_report(artifact, dt.date(2026, 1, 1), dt.date(2026, 6, 30))
    factories.rely_on(report, system, by=rita)
    control = factories.implementation(system, "pe-3").control
    factories.cite_for(system, artifact, [control], by=oscar)
    keys = list(system.citations.values_list("pk", flat=True))
    for browser, word in ((officer, "refused"), (Client(), "will change")):
        person = oscar if browser is officer else rita
        browser = sign_in_just_now(browser, person)
        page = chosen_directly(system, "citations", keys, person)
        seen = browser.post(page, {"decision": "accept"})
        assert word in results(seen)["PE-3"], words(seen)
    confirm(browser, "citations", seen)
    assert LetterAcceptance.objects.get().reviewer == rita
    unsaid = browser.post(page, {"decision": "reject"})
    assert (unsaid.status_code, "A rejection says why." in words(unsaid)) == (422, True)


def chosen_directly(system: Any, act: str, keys: list[int], by: Any) -> str:
    chosen = sealed_choice(ACTS[act], system, keys, "/work/", by=by)
    return f"{MANY}{act}/?chosen={chosen}"


def test_a_long_choice_is_kept_and_its_address_stays_short(
    officer, system, monkeypatch
):
    monkeypatch.setattr("evidence.bulk_acts.act.MAX_IN_ADDRESS", 100)
    page = choose(officer, "owner")
    assert len(page) < 300
    number = system.implementations.count()
    assert f"Assign an owner to {number} controls" in words(officer.get(page))
    cache.clear()
    gone = officer.get(page)
    assert (gone.status_code, "Choose the rows again" in words(gone)) == (409, True)


def test_an_act_of_a_few_statements_takes_thousands_of_rows(system, oscar):
    """The others go through the verb of one row, and take 2,000."""
    thousands = range(1, 3001)
    for name, taken in (("owner", True), ("status", True), ("cadence", False)):
        if taken:
            assert sealed_choice(ACTS[name], system, thousands, "/", by=oscar)
        else:
            with pytest.raises(Refused, match="At most 2,000 rows"):
                sealed_choice(ACTS[name], system, thousands, "/", by=oscar)
    statements = []
    team = factories.make_team("Other")
    keys = list(system.implementations.values_list("pk", flat=True))
    for some, owner in ((keys[:2], team.pk), (keys, None)):
        with CaptureQueriesContext(connection) as captured:
            act, values = ACTS["owner"], {"owner_team": owner}
            act.rows(system, some, values, by=oscar, today=TODAY)
            act.carry_out(system, some, values, by=oscar, today=TODAY)
        statements.append(len(captured))
    assert statements[1] <= statements[0]


def test_a_choice_is_of_one_person_one_act_and_the_officers(officer, system, alice):
    page = choose(officer, "owner", "", "ac-2")
    other = page.replace("/owner/", "/status/")
    assert "Choose the rows again" in words(officer.get(other))
    olga = factories.make_user("olga2")
    factories.give_role(olga, system, "officer")
    stranger = sign_in_just_now(Client(), olga)
    assert "somebody else's" in words(stranger.get(page))
    contributor = sign_in_just_now(Client(), alice)
    assert contributor.post(MANY, {"act": "owner"}).status_code == 403
    assert contributor.get(page).status_code == 403
    assert officer.post(MANY, {"act": "no-such"}).status_code == 404
    assert officer.get(f"{MANY}owner/?chosen=x").status_code == 409


def test_the_list_offers_its_acts_to_who_may(officer, system, alice, audrey):
    page = officer.get("/systems/payments/controls/").content.decode()
    for act in ("owner", "status", "cadence", "request", "not-applicable"):
        assert f'name="act" value="{act}"' in page
    auditor = sign_in_just_now(Client(), audrey)
    page = auditor.get("/systems/payments/controls/").content.decode()
    assert 'value="request">' in page
    assert 'value="cadence">' not in page
    contributor = sign_in_just_now(Client(), alice)
    page = contributor.get("/systems/payments/controls/").content.decode()
    assert re.findall(r'name="act" value="([^"]+)"', page) == ["status"]


def test_what_a_leaver_is_asked_goes_to_another_team(officer, system, alice, platform):
    """R31: what was asked and brought before today stays as it was."""
    data = factories.make_team("Data")
    place = f"/systems/payments/people/{alice.memberships.get().uuid}/"
    html = officer.get(place).content.decode()
    links = re.findall(r'href="([^"]+)">Move its (asks|controls) to another team', html)
    pages = {what: unescape(link) for link, what in links}
    seen = officer.post(pages["asks"], {"owner_team": data.pk})
    assert "Platform Data will change Asked of Data from today" in results(seen)["AC-2"]
    done = confirm(officer, "team", seen)
    assert "asked of Data from today." in words(done)
    assert done.request["PATH_INFO"] == place
    moved = RequirementControl.objects.filter(system=system, owner_team=data)
    assert (
        moved.count() == RequirementControl.objects.asked_of_team(data, TODAY).count()
    )
    asked = factories.requirement(system, "ac-2")
    yesterday = asked.ask.terms.get(days__contains=TODAY - DAY)
    assert (asked.owner_team, yesterday.owner_team) == (data, None)
    seen = officer.post(pages["controls"], {"owner_team": data.pk})
    confirm(officer, "owner", seen)
    assert not Control.objects.filter(system=system, owner_team=platform).exists()
    text = words(officer.get(place))
    assert "Move its asks" not in text
