"""One ask is one row, one upload, one act of review and one line of a notice (R11).

Scenario 14's ask in small: three controls, of which one is rejected. One file: each
story goes on from the same joined ask.
"""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from knox.models import AuthToken

from controls import clock
from controls.models import TokenScope
from evidence.models import Evidence, EvidenceLink, RequirementControl
from evidence.notices.due import requirements
from evidence.notices.people import People
from evidence.planning.by_ask import AskRow, by_ask, to_show
from evidence.planning.next_upload import next_upload, rows_asked
from evidence.requirements.join_checks import AskTerms, NamedControl
from evidence.requirements.joining import join
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House, file
from tests.evidence.planning.afresh import asked_of
from tests.one_day import TODAY

REASON = "no clock in the picture"
THREE = ("ac-1", "cm-8", "si-2")


@pytest.fixture
def house(db, settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def ask(house) -> Any:
    """Monthly with ten days of grace, of three controls, since the first of October."""
    RequirementControl.objects.filter(system=house.system).delete()
    rows = [
        factories.ask_for(
            factories.implementation(house.system, ref_id),
            f"Of {ref_id}",
            grace_days=10,
            owner_team=house.team,
            operates_from=dt.date(2026, 10, 1),
        )
        for ref_id in THREE
    ]
    return join(
        house.system,
        AskTerms("Settings", "monthly", "operation", grace_days=10),
        [NamedControl(row.uuid, f"The part about {row.title}") for row in rows],
        from_day=TODAY,
        by=house.olivia,
        today=TODAY,
    )


def row_of_work(house: House) -> AskRow:
    (row,) = to_show(by_ask(asked_of(house.alice, clock.now())))
    return row


def bring(client: Any, house: House) -> None:
    """The form in the row of My work, as a browser sends it."""
    client.force_login(house.alice)
    page = client.get(reverse("evidence:work")).content.decode()
    (form,) = re.findall(
        r'<form[^>]*action="([^"]*upload/)"[^>]*>(.*?)</form>', page, re.S
    )
    hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form[1])
    ticked = re.findall(r'type="checkbox"\s+name="([^"]+)"\s+value="(\d+)"', form[1])
    body: dict[str, Any] = {"performed_on": str(TODAY), "files": [file()]}
    for name, value in [*hidden, *ticked]:
        if name not in {"csrfmiddlewaretoken"}:
            body.setdefault(name, []).append(value)
    answer = client.post(form[0], body)
    assert answer.status_code == 302, answer.content.decode()


def decide(client: Any, house: House, *, but: str) -> None:
    """One act of review: all accepted but one control."""
    client.force_login(house.rita)
    links = EvidenceLink.objects.filter(state="submitted")
    body: dict[str, Any] = {}
    assert {link.requirement.what_it_shows for link in links} <= {
        f"The part about Of {ref_id}" for ref_id in THREE
    }
    shown = client.get(reverse("evidence:queue")).content.decode()
    for link in links:
        assert link.requirement.what_it_shows in shown
        control = link.implementation.control.ref_id
        body[f"decision-{link.uuid}"] = "reject" if control == but else "accept"
        body[f"reason-{link.uuid}"] = REASON if control == but else ""
        body[f"version-{link.uuid}"] = link.version
        body[f"day_confirmed-{link.uuid}"] = "no"
    answer = client.post(reverse("evidence:review_several"), body)
    assert answer.status_code == 302, answer.content.decode()


def test_r11_one_row_one_upload_one_review_and_the_rest_again(client, house, ask):
    """R11: three links by one upload; the next one goes to the rejected control."""
    row = row_of_work(house)
    assert len(row.controls) == 3 and row.sentence == ""
    page_rows = [row.requirement for row in row.controls]
    assert len(page_rows) == 3
    bring(client, house)
    (brought,) = Evidence.objects.all()
    links = EvidenceLink.objects.filter(revision__evidence=brought)
    october = dt.date(2026, 10, 1)
    assert [link.occurrence for link in links] == [october] * 3
    decide(client, house, but="si-2")
    row = row_of_work(house)
    assert row.sentence == f"2 of 3 accepted, SI-2 rejected: {REASON}"
    assert row.worst.state == "rejected"
    upload = next_upload(rows_asked(ask, TODAY), TODAY)
    assert (upload.period.first, upload.first.title) == (october, "Settings")
    assert [r.implementation.control.label for r in upload.rows] == ["SI-2"]
    client.force_login(house.alice)
    page = client.get(reverse("evidence:work")).content.decode()
    assert row.sentence in page
    assert page.count("/upload/") >= 1
    bring(client, house)
    again = Evidence.objects.exclude(pk=brought.pk).get()
    (link,) = EvidenceLink.objects.filter(revision__evidence=again)
    assert link.implementation.control.ref_id == "si-2"


def test_r14_each_overdue_period_leads_to_who_is_open_in_it(client, house, ask):
    """R14: September is open for one control only, October for all three; each link
    opens its own period, and the row is due when its oldest period was."""
    september = dt.date(2026, 9, 1)
    ac_1 = RequirementControl.objects.filter(
        joined=ask, implementation__control__ref_id="ac-1"
    )
    ac_1.update(operates_from=september)
    (row,) = to_show([row_of_work(house)])
    opened = [
        (gap.period.first, [r.implementation.control.ref_id for r in gap.rows])
        for gap in row.overdue
    ]
    assert opened == [(september, ["ac-1"]), (dt.date(2026, 10, 1), list(THREE))]
    assert row.due == row.overdue[0].period.due == dt.date(2026, 10, 10)
    client.force_login(house.alice)
    page = client.get(reverse("evidence:work")).content.decode()
    for gap in row.overdue:
        oldest = gap.period == row.period
        link = re.search(
            r'href="([^"]+)"\s+aria-label="Upload evidence for Settings'
            if oldest
            else rf'<a href="([^"]+)">{re.escape(gap.period.sentence)}</a>',
            page,
        )
        assert link
        form = client.get(unescape(link[1])).context["form"]
        assert form["period"].value() == gap.period.key
        also = [str(other.pk) for other in gap.also]
        assert list(map(str, form["also"].value())) == also


def test_r11_the_companions_are_those_of_the_chosen_period(client, house, ask):
    """R11: a link that names the period only begins with the controls open in it."""
    rows = rows_asked(ask, TODAY)
    RequirementControl.objects.filter(pk=rows[0].pk).update(
        operates_from=dt.date(2026, 9, 1)
    )
    client.force_login(house.alice)
    url = reverse("evidence:upload", args=["shop", rows[0].uuid])
    september = client.get(url).context["form"]
    assert september["also"].value() == []
    october = client.get(url, {"period": "2026-10-01"}).context["form"]
    assert len(october["also"].value()) == 2


def test_r11_the_upload_page_begins_with_all_controls_that_are_open(client, house, ask):
    """R11: whichever of its controls it is opened for."""
    client.force_login(house.alice)
    first, *others = rows_asked(ask, TODAY)
    url = reverse("evidence:upload", args=["shop", first.uuid])
    form = client.get(url).context["form"]
    assert sorted(map(str, form["also"].value())) == sorted(
        str(row.pk) for row in others
    )


def test_r11_one_line_of_a_notice_for_one_ask(house, ask):
    """R11: not one for each control; it names them."""
    rows = RequirementControl.objects.filter(joined=ask)
    rows.update(operates_from=dt.date(2026, 11, 1))
    instant = clock.now() + dt.timedelta(days=10)
    notices = requirements(People(), instant)
    (notice,) = [row for row in notices if house.alice.pk in row.users]
    assert notice.parameters["what"] == "AC-1, CM-8, SI-2 Settings"
    assert notice.key.split(":")[1] == str(ask.uuid)


def curl(client: Any, path: str, secret: str, **body: Any) -> Any:
    """As curl -F file=@... with a token."""
    return client.post(path, body, headers={"Authorization": f"Token {secret}"})


def writing_token(person: Any) -> str:
    token, secret = AuthToken.objects.create(person)
    TokenScope.objects.create(token=token, name="cron", scope="write")
    return str(secret)


def test_r14_each_ask_has_one_address_for_scripts(client, house, ask):
    """R14, UP-01: the oldest open period, once; the address of a row that was joined
    goes on; who may not is refused."""
    secret = writing_token(house.alice)
    path = f"/api/v1/asks/{ask.uuid}/evidence/"
    answer = curl(client, path, secret, file=file("report.csv", b"a,b\n1,2\n"))
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body["controls"] == list(THREE)
    assert (body["period_start"], body["new"]) == ("2026-10-01", True)
    assert body["title"] == "Settings, October 2026"
    own = factories.requirement(house.system, "si-2").ask
    for known in (path, f"/api/v1/asks/{own.uuid}/evidence/"):
        again = curl(client, known, secret, file=file("report.csv", b"a,b\n1,2\n"))
        assert (again.status_code, again.json()["new"]) == (200, False)
        assert again.json()["evidence"] == body["evidence"]
    assert Evidence.objects.count() == 1
    rejected = EvidenceLink.objects.get(implementation__control__ref_id="si-2")
    rejected.reject(by=house.rita, reason="It shows no hosts.")
    again = curl(client, path, secret, file=file("report.csv", b"a,b\n1,2\n"))
    assert "si-2" not in again.json()["controls"]  # it is offered for that no more
    other = curl(client, path, secret, file=file("report.csv", b"a,b\n3,4\n"))
    assert other.status_code == 201
    assert other.json()["period_start"] == "2026-10-01"  # of what was rejected
    assert other.json()["controls"] == ["si-2"]
    other = curl(client, path, secret, file=file("report.csv", b"a,b\n7,8\n"))
    assert other.json()["period_start"] == "2026-11-01"
    foreign = writing_token(house.bob)
    refused = curl(client, path, foreign, file=file("report.csv", b"a,b\n5,6\n"))
    assert refused.status_code == 403
    assert curl(client, path, secret).status_code == 400


def test_r14_a_script_says_which_period_it_is_about(client, house, ask):
    """R14: a run that failed does not move the reports of later months to its own."""
    secret, path = writing_token(house.alice), f"/api/v1/asks/{ask.uuid}/evidence/"

    def bring(text: str, about: str, **fields: Any) -> Any:
        report = file("report.csv", text.encode())
        return curl(client, path, secret, file=report, about=about, **fields)

    november = bring("host,ok of November", "2026-11-20")
    assert november.status_code == 201, november.content
    assert november.json()["title"] == "Settings, November 2026"
    october = bring("host,ok of October", "2026-10-31")
    assert october.json()["period_start"] == "2026-10-01"
    rows = EvidenceLink.objects.filter(state="submitted")
    for link in rows.filter(revision__evidence__title="Settings, October 2026"):
        link.accept(by=house.rita)
    other = bring("host,ok of October", "2026-03-02")
    assert other.status_code == 400, "bytes of October answer no other period"
    # The next night's run, of bytes that stand for the period already.
    days = {"performed_on": "2026-11-22"}
    same = bring("host,ok of October", "2026-10-31", **days)
    assert (same.status_code, same.json()["new"]) == (200, False)
    assert same.json()["evidence"] == october.json()["evidence"]
    refused = bring("host,ok of another October", "2026-10-31", **days)
    assert refused.status_code == 400
    assert "No open period of this ask holds 2026-10-31." in str(refused.json())
    typed = bring("host,ok", "2026-10-32", **days)
    assert typed.status_code == 400 and "about" in typed.json()["errors"]
    assert Evidence.objects.count() == 2
