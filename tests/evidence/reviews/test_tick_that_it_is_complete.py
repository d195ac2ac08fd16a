"""What was drawn from a system says what shows that it is complete; the reviewer ticks
that, or nothing is accepted (R12)."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from controls.models import AuditEvent
from evidence.models import EvidenceLink, Review
from tests import factories
from tests.evidence.house import file
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
DAYS = {
    "performed_on": TODAY,
    "period_start": TODAY.replace(day=1),
    "period_end": TODAY,
    "collected_on": TODAY,
}
DRAWN = {
    "source_system": "Directory",
    "procedure": "Export of all members",
    "completeness": "1,204 rows, as the directory counts",
}


@pytest.fixture
def drawn(system, alice, as_user, settings, tmp_path):
    """An export uploaded on the page, with what shows that it is complete."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    asked = factories.requirement(system, "si-2")
    address = reverse("evidence:upload", args=[system.slug, asked.uuid])
    body = DAYS | DRAWN | {"title": "Members", "sensitivity": "internal"}
    answer = as_user(alice).post(
        address, body | {"files": [file("m.csv", b"a,b\n1,2")]}
    )
    assert answer.status_code == 302, answer.text
    return EvidenceLink.objects.get(requirement=asked)


def test_the_page_asks_and_refuses_without_the_tick(drawn, rita, as_user):
    """R12: the tick is asked in the queue and recorded with the acceptance."""
    browser = as_user(rita)
    queue = browser.get(reverse("evidence:queue")).text
    assert "1,204 rows, as the directory counts" in queue
    address = reverse("evidence:accept", args=[drawn.uuid])
    answer = browser.post(address, {"version": drawn.version})
    assert answer.status_code == 400
    assert "Tick that it is complete" in answer.text
    drawn.refresh_from_db()
    assert drawn.state == "submitted"
    answer = browser.post(address, {"version": drawn.version, "complete": "yes"})
    assert answer.status_code == 302
    review = Review.objects.get(link=drawn)
    assert (review.decision, review.complete) == ("accept", True)
    shown = browser.get(
        reverse("evidence:evidence", args=[drawn.revision.evidence.uuid])
    ).text
    assert "Complete, as the reviewer found" in shown
    event = AuditEvent.objects.filter(verb="evidence.accepted").latest("pk")
    assert json.loads(event.body)["complete"] is True


def test_the_desk_asks_and_keeps_what_was_typed(drawn, rita, as_user):
    """R12, RE-09: refused at the desk as well, and the reviewer's words stay."""
    browser = as_user(rita)
    address = reverse("evidence:decide", args=[drawn.revision.uuid])
    body = {
        f"version-{drawn.uuid}": drawn.version,
        f"accept-{drawn.uuid}": "on",
        "reason": "Counted against the directory",
    }
    answer = browser.post(address, body)
    assert answer.status_code == 409
    assert "Tick that it is complete" in answer.text
    assert "Counted against the directory</textarea>" in answer.text
    drawn.refresh_from_db()
    assert drawn.state == "submitted"
    assert browser.post(address, body | {"complete": "yes"}).status_code == 302
    assert Review.objects.get(link=drawn).complete


def test_many_at_once_need_each_their_tick(drawn, rita, as_user):
    """R12: on the page of several decisions, nothing typed lost."""
    browser = as_user(rita)
    address = reverse("evidence:review_several")
    body = {f"decision-{drawn.uuid}": "accept", f"version-{drawn.uuid}": drawn.version}
    answer = browser.post(address, body)
    assert answer.status_code == 409
    assert "Tick that it is complete" in answer.text
    answer = browser.post(address, body | {f"complete-{drawn.uuid}": "yes"})
    assert answer.status_code == 302
    assert Review.objects.get(link=drawn).complete


def test_the_api_needs_it_too(drawn, rita, client):
    """R12: `complete`, alone and among many; to reject none is needed."""
    client.force_login(rita)
    accept = reverse("evidence-accept", args=[drawn.uuid])
    tag = client.get(reverse("evidence-detail", args=[drawn.uuid]))["ETag"]
    refused = client.post(accept, {}, "application/json", headers={"If-Match": tag})
    assert refused.status_code == 400
    many = reverse("evidence-decide")
    one = {"link": str(drawn.uuid), "accept": True}
    assert client.post(many, [one], "application/json").status_code == 409
    done = client.post(
        accept, {"complete": True}, "application/json", headers={"If-Match": tag}
    )
    assert done.status_code == 200, done.content


def test_what_is_complete_names_source_and_steps(system, alice, client, settings):
    """R12: over the API as on the page; nothing is stored without them."""
    settings.MFA_REQUIRED = False
    client.force_login(alice)
    asked = factories.requirement(system, "si-2")
    body = {name: str(day) for name, day in DAYS.items()} | {
        "requirement": str(asked.uuid),
        "title": "Members",
        "completeness": "All of them",
        "files": [file("m.csv", b"a,b\n1,2")],
    }
    answer = client.post(reverse("evidence-list"), body)
    assert answer.status_code == 400
    assert {"source_system", "procedure"} <= set(answer.json()["errors"])
    assert not EvidenceLink.objects.exists()


MANY = "file,control,performed_on,title,source_system,procedure,completeness"


def send_many(browser, system, row: str):
    return browser.post(
        reverse("evidence:bulk", args=[system.slug]),
        {
            "list": file("list.csv", f"{MANY}\n{row}".encode()),
            "files": [file("m.csv", b"a,b\n1,2")],
        },
    )


def test_a_list_of_many_files_says_it_too(
    system, alice, rita, as_user, settings, tmp_path
):
    """R12: by row, with source and steps; the reviewer ticks it as ever."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    asked = factories.requirement(system, "si-2")
    row = f"m.csv,SI-2,{TODAY},Members,{{}},{{}},1204 rows as counted"
    browser = as_user(alice)
    refused = send_many(browser, system, row.format("", ""))
    assert refused.status_code == 422
    wrong = {error.column for error in refused.context["plan"].errors}
    assert wrong == {"source_system", "procedure"}
    seen = send_many(browser, system, row.format("Directory", "Export of all"))
    assert seen.status_code == 200, seen.text
    assert "Complete: 1204 rows as counted" in seen.text
    address = reverse("evidence:bulk_confirm", args=[system.slug])
    assert browser.post(address, {"token": seen.context["token"]}).status_code == 302
    link = EvidenceLink.objects.get(requirement=asked)
    assert link.revision.evidence.completeness == "1204 rows as counted"
    address = reverse("evidence:accept", args=[link.uuid])
    browser = as_user(rita)
    assert browser.post(address, {"version": link.version}).status_code == 400
    body = {"version": link.version, "complete": "yes"}
    assert browser.post(address, body).status_code == 302
    assert Review.objects.get(link=link).complete


def test_a_list_of_many_files_says_it_over_the_api(system, alice, client, settings):
    """R12: the same columns, with as many characters as the page of one takes."""
    settings.MFA_REQUIRED = False
    client.force_login(alice)
    factories.requirement(system, "si-2")
    row = f"m.csv,SI-2,{TODAY},Members,Directory,Export,{'x' * 2001}"
    answer = client.post(
        f"/api/v1/systems/{system.slug}/uploads/plan/",
        {
            "list": file("list.csv", f"{MANY}\n{row}".encode()),
            "files": [file("m.csv", b"a,b\n1,2")],
        },
    )
    assert answer.status_code == 422, answer.content
    assert "At most 2,000 characters, it has 2,001." in answer.text


def test_the_database_accepts_nothing_without_it(drawn, rita):
    """R12: whoever writes."""
    review = Review.of(drawn, decision="accept", by=rita, reason="", complete=True)
    review.complete = False
    with pytest.raises(IntegrityError), transaction.atomic():
        review.save(force_insert=True)


def test_a_file_of_no_system_needs_no_tick(system, alice, rita):
    """R12: a picture or a letter is as it is."""
    asked = factories.requirement(system, "si-2")
    day = TODAY - dt.timedelta(days=1)
    link = factories.make_evidence(asked, by=alice, performed_on=day, today=TODAY)
    link.accept(by=rita)
    assert not Review.objects.get(link=link).complete
