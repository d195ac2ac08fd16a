"""What a system is judged by changes from a day on: two officers decide it, and
what was said of earlier days stays unless they say so (R22, R31)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse

from controls import retrospect
from controls.errors import NotPermitted, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.models import AuditEvent, RetrospectiveChange, Role, System, SystemTerms
from controls.system_terms import show_todays_system_terms
from evidence.artifacts import register
from evidence.models import ArtifactVersion
from tests import factories
from tests.evidence.scenarios.providers import D, Desk, at, codes
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db(transaction=True)

OCTOBER = D(2026, 10, 15)
START, END = D(2026, 1, 1), D(2026, 12, 31)
REPORT_ENDS = D(2026, 6, 30)  # and counts as current to 28 September


@pytest.fixture
def desk(as_owner: Any, settings: Any) -> Any:
    """EC2 in us-east-1; AWS's report on PE-3 is read, and past its currency."""
    settings.MFA_REQUIRED = False
    with as_owner():
        olivia, oscar = factories.make_user("olivia"), factories.make_user("oscar")
        with at(START, 8):
            system = factories.make_system(
                olivia,
                services=["ec2"],
                baseline=factories.make_baseline(("pe-3",), slug="one"),
                used_from=START,
                window_start=START,
                window_end=END,
            )
        factories.give_role(oscar, system, Role.OFFICER)
        made = Desk(system, olivia, oscar)
        with at(D(2026, 7, 20)):
            artifact = made.series("AWS SOC 2", ["pe-3"])
            scope = {"services": ["*"], "regions": ["*"]}
            report = made.report(artifact, START, REPORT_ENDS, **scope)
        with at(D(2026, 7, 21)):
            made.rely(report)
        yield made


def state(desk: Desk, day: dt.date, known_at: dt.datetime | None = None) -> str:
    return desk.answer("pe-3", day, known_at).status.aws_half


def post(client: Any, system: System, **body: Any) -> Any:
    client.force_login(body.pop("by"))
    tag = client.get(reverse("system-detail", args=[system.slug]))["ETag"]
    return client.post(
        reverse("system-terms-list", args=[system.slug]),
        {"reason": "Agreed with our auditor"} | body,
        content_type="application/json",
        headers={"If-Match": tag},
    )


def test_r22_longer_currency_holds_from_today_only(desk, client):
    """R22, R31: over the API; October stays lapsed, the others' columns stay."""
    assert (state(desk, OCTOBER), state(desk, TODAY)) == ("lapsed", "lapsed")
    answer = post(client, desk.system, by=desk.registrar, currency_days=180)
    assert (answer.status_code, answer.json()["kind"]) == (202, "system-terms")
    assert state(desk, TODAY) == "lapsed"
    retrospect.approve(RetrospectiveChange.objects.get(), by=desk.second, today=TODAY)
    regime = desk.system.regime
    desk.system.refresh_from_db()
    assert desk.system.regime == regime
    assert desk.system.currency_days == 180
    assert (state(desk, OCTOBER), state(desk, TODAY)) == ("lapsed", "proven")
    rows = client.get(reverse("system-terms-list", args=[desk.system.slug])).json()
    shown = [(row["from_day"], row["currency_days"]) for row in rows["results"]]
    assert shown == [(None, 90), (str(TODAY), 180)]
    assert AuditEvent.objects.filter(verb="system.terms-changed").count() == 1


def test_r31_an_earlier_day_takes_a_second_officer(desk, client):
    """R31, R32: by the page; as known before the approval October stays lapsed."""
    client.force_login(desk.registrar)
    url = reverse("evidence:system_terms", args=[desk.system.slug])
    form = client.get(url).context["form"]
    typed = {name: form[name].value() for name in form.fields}
    typed |= {"currency_days": 180, "from_day": "2026-10-01", "reason": "Agreed"}
    page = client.post(url, typed, follow=True)
    assert "once another officer approves" in page.content.decode()
    assert "Days of currency" in page.content.decode()
    assert (state(desk, OCTOBER), state(desk, TODAY)) == ("lapsed", "lapsed")
    before = knowledge_now()
    change = RetrospectiveChange.objects.get()
    with pytest.raises(NotPermitted):
        retrospect.approve(change, by=desk.registrar, today=TODAY)
    retrospect.approve(change, by=desk.second, today=TODAY)
    assert state(desk, OCTOBER) == "proven"
    assert state(desk, OCTOBER, before) == "lapsed"
    assert state(desk, D(2026, 9, 30)) == "lapsed"


def test_r31_a_request_does_not_undo_what_was_changed_meanwhile(desk, client):
    """R31: the other officer's change stays; the request is made again."""
    early = {"from_day": "2026-10-01", "currency_days": 180}
    assert post(client, desk.system, by=desk.registrar, **early).status_code == 202
    change = RetrospectiveChange.objects.get()
    assert post(client, desk.system, by=desk.second, regime="iso").status_code == 202
    meanwhile = RetrospectiveChange.objects.exclude(pk=change.pk).get()
    retrospect.approve(meanwhile, by=desk.registrar, today=TODAY)
    with pytest.raises(TransitionNotAllowed, match="changed since"):
        retrospect.approve(change, by=desk.second, today=TODAY)
    assert System.objects.get().regime == "iso"
    change.refresh_from_db()
    assert change.state == "requested"


def test_r31_a_later_day_shows_on_that_day(desk, client):
    """R31: today's columns follow once the day has come."""
    first_of_december = D(2026, 12, 1)
    answer = post(
        client,
        desk.system,
        by=desk.registrar,
        regime="fedramp",
        from_day=str(first_of_december),
    )
    assert answer.status_code == 202
    retrospect.approve(RetrospectiveChange.objects.get(), by=desk.second, today=TODAY)
    system = System.objects.get()
    assert system.regime == "soc2"
    assert "supporting_only" not in codes(desk.answer("pe-3", TODAY).status.reasons)
    later = desk.answer("pe-3", first_of_december).status
    assert "supporting_only" in codes(later.reasons)
    assert later.aws_half != "proven"
    assert show_todays_system_terms(system, first_of_december) == 1
    system.refresh_from_db()
    assert system.regime == "fedramp"
    assert show_todays_system_terms(system, first_of_december) == 0


def test_r20_a_partition_without_the_regions_in_use_is_refused(desk, client):
    """R20: us-east-1 is in use; nothing is written."""
    desk.system.components.update(regions=["us-east-1"])
    answer = post(client, desk.system, by=desk.registrar, partition="aws-us-gov")
    assert answer.status_code == 400
    assert "us-east-1 is in use" in str(answer.json()["errors"]["partition"])
    same = post(client, desk.system, by=desk.registrar, currency_days=90)
    assert same.status_code == 409
    long = post(client, desk.system, by=desk.registrar, currency_days=400)
    assert long.status_code == 400
    assert not SystemTerms.objects.exists()


def test_r31_the_admin_shows_them_and_changes_none(desk, client):
    """R31: no door changes what past answers rest on."""
    client.force_login(factories.administrator())
    page = client.get(reverse("admin:controls_system_change", args=[desk.system.pk]))
    assert page.status_code == 200
    names = set(page.context["adminform"].form.fields)
    assert not names & {"regime", "impact_level", "partition", "currency_days"}


def test_r21_how_far_a_letter_reaches_is_recorded_and_takes_two_officers(desk, client):
    """R21: three months by default; more from the day on which another agreed."""
    report = ArtifactVersion.objects.get()
    register.add_letter(
        report, issued_on=D(2026, 11, 20), ends=D(2026, 11, 20), by=desk.registrar
    )
    desk.rely(report)

    def asserted() -> int:
        return desk.over_the_api(client, "pe-3", TODAY)["period"]["asserted_days"]

    assert asserted() == 92  # to 30 September, three months after the report
    answer = post(client, desk.system, by=desk.registrar, letter_months=13)
    assert answer.status_code == 400
    answer = post(client, desk.system, by=desk.registrar, letter_months=6)
    assert answer.status_code == 202, answer.content
    assert asserted() == 92
    before = knowledge_now()
    retrospect.approve(RetrospectiveChange.objects.get(), by=desk.second, today=TODAY)
    assert asserted() == 143  # to its issue, 20 November
    then = desk.over_the_api(client, "pe-3", TODAY, before)["period"]
    assert then["asserted_days"] == 92
    page = client.get(reverse("evidence:system_terms", args=[desk.system.slug]))
    assert "Months of a letter" in page.content.decode()
