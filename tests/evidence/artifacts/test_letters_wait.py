"""A letter registered after the review of its report waits for a second person."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from controls import clock
from controls.history.clock import knowledge_now
from controls.models import AuditEvent, Role, System, User
from evidence.artifacts import register
from evidence.artifacts.letters import letters_to_decide
from evidence.artifacts.reliance import record_reliance
from evidence.models import (
    ArtifactVersion,
    ContinuityLetter,
    LetterAcceptance,
    Notice,
)
from evidence.notices.gathering import gather_notices
from tests import factories

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 9, 15)
LETTER = {"issued_on": "2026-06-30", "ends": "2026-06-30"}
ASSERTED = 91  # 1 April to 30 June
NOTES = {"scope_note": "All services", "period_note": "Ends in March"}


@pytest.fixture
def report(system: System, oscar: User) -> ArtifactVersion:
    """Registered by oscar, October to March, cited for PE-3, not yet reviewed."""
    soc2 = factories.make_artifact(oscar, ["pe-3"])
    return factories.make_report(soc2, dt.date(2025, 10, 1), dt.date(2026, 3, 31))


@pytest.fixture
def relied_on(report: ArtifactVersion, system: System, rita: User) -> ArtifactVersion:
    """The report after rita's review."""
    review(report, system, rita)
    return report


@pytest.fixture
def letter(relied_on: ArtifactVersion, olga: User, as_user: Any) -> ContinuityLetter:
    """Registered by olga on the page, after the review."""
    page = reverse("evidence:letter_new", args=[relied_on.uuid])
    assert as_user(olga).post(page, LETTER).status_code == 302
    return relied_on.letters.get()


def review(
    report: ArtifactVersion, system: System, by: User, word: str = "rely"
) -> None:
    record_reliance(report, system, conclusion=word, by=by, **NOTES)


def asserted(client: Client, system: System, **clocks: Any) -> int:
    """Days of PE-3 that the control page shows as asserted by letter."""
    path = reverse("evidence:control", args=[system.slug, "pe-3"])
    answer = client.get(path, {"on": str(DAY)} | clocks).context["answer"]
    return int(answer.period.aws_days.asserted)


def decide(
    client: Client, letter: ContinuityLetter, system: System, **body: str
) -> int:
    path = reverse("evidence:letter_decide", args=[system.slug, letter.uuid])
    return client.post(path, body).status_code


def api(user: User, path: str, body: Any = None) -> Any:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    if body is None:
        return client.get(f"/api/v1/{path}")
    return client.post(f"/api/v1/{path}", body, content_type="application/json")


def test_a_letter_that_was_there_is_decided_with_the_report(
    report, system, rita, as_user
):
    """R24: the review decides on what was there when it was made."""
    register.add_letter(
        report,
        issued_on=dt.date(2026, 6, 30),
        ends=dt.date(2026, 6, 30),
        by=report.registered_by,
    )
    client = as_user(rita)
    page = client.get(reverse("evidence:reliance", args=[system.slug, report.uuid]))
    assert "Letters that your review decides on as well" in page.content.decode()
    assert asserted(client, system) == 0
    review(report, system, rita)
    assert asserted(client, system) == ASSERTED
    assert letters_to_decide(rita) == []


def test_a_letter_after_the_review_counts_once_another_accepted_it(
    letter, system, olga, rita, as_user
):
    """R24, R31: from the acceptance on, and as known before it not at all."""
    client = as_user(rita)
    assert asserted(client, system) == 0
    path = reverse("evidence:control", args=[system.slug, "pe-3"])
    page = client.get(path, {"on": str(DAY)}).content.decode()
    assert "waits for a second person" in page
    before = knowledge_now()
    assert decide(client, letter, system, decision="accept") == 302
    assert asserted(client, system) == ASSERTED
    assert asserted(client, system, known_at=before.isoformat()) == 0
    known_from = LetterAcceptance.objects.get().known_from
    assert asserted(client, system, known_at=known_from.isoformat()) == 0
    later = known_from + dt.timedelta(microseconds=1)
    assert asserted(client, system, known_at=later.isoformat()) == ASSERTED
    event = AuditEvent.objects.get(verb="letter.accepted")
    assert (event.chain, event.actor) == (str(system.uuid), rita)


def test_a_waiting_letter_extends_no_currency(letter, system, rita, as_user):
    """R22, R24: the AWS half on a day rests on accepted letters only."""
    path = reverse("evidence:control", args=[system.slug, "pe-3"])
    client = as_user(rita)
    on = {"on": "2026-06-30"}
    before = client.get(path, on).context["answer"].status
    assert "letter_pending" in {reason.code for reason in before.reasons}
    assert before.aws_until == dt.date(2026, 6, 29)  # 90 days after the report
    decide(client, letter, system, decision="accept")
    after = client.get(path, on).context["answer"].status
    assert after.aws_until == dt.date(2026, 6, 30)
    assert "letter_pending" not in {reason.code for reason in after.reasons}


def test_a_rejected_letter_never_counts(letter, relied_on, system, rita, as_user):
    """R24: not even after the report is reviewed again."""
    client = as_user(rita)
    assert decide(client, letter, system, decision="reject") == 400
    body = {"decision": "reject", "reason": "Not on AWS's letterhead"}
    assert decide(client, letter, system, **body) == 302
    review(relied_on, system, rita)
    assert asserted(client, system) == 0
    page = client.get(reverse("evidence:artifact", args=[relied_on.artifact.uuid]))
    assert "Not on AWS&#x27;s letterhead" in page.content.decode()


def test_it_counts_only_where_it_was_accepted(letter, system, rita, oscar, as_user):
    """R24: what one system made of a letter moves nothing elsewhere."""
    other = factories.make_system(oscar, slug="ledger")
    factories.give_role(rita, other, Role.REVIEWER)
    series = letter.artifact_version.artifact
    pe_3 = factories.implementation(other, "pe-3").control
    factories.cite_for(other, series, [pe_3], by=oscar)
    review(letter.artifact_version, other, rita)  # after the letter: decides on it
    client = as_user(rita)
    assert asserted(client, other) == ASSERTED
    assert asserted(client, system) == 0


@pytest.mark.parametrize(
    ("decision", "shown"), [("accept", True), ("reject", False), (None, False)]
)
def test_the_calendar_shows_the_end_of_a_letter_that_was_accepted_here(
    letter, system, rita, as_user, decision, shown
):
    """R24: a rejected letter, or one that waits, covers nothing that could end."""
    client = as_user(rita)
    if decision:
        body = {"decision": decision, "reason": "Too vague"}
        assert decide(client, letter, system, **body) == 302
    path = reverse("evidence:calendar", args=[system.slug])
    page = client.get(path, {"month": "2026-06"}).content.decode()
    assert ("Letter ends" in page) == shown


def test_who_registered_the_letter_or_its_report_is_refused(
    letter, system, olga, oscar, as_user
):
    """R32: on the page, over the API and by the database; neither is shown a form."""
    for person in (olga, oscar):
        client = as_user(person)
        assert decide(client, letter, system, decision="accept") == 403
        body = {"system": system.slug, "decision": "accept"}
        refusal = api(person, f"letters/{letter.uuid}/decisions/", body)
        assert refusal.status_code == 403
        page = client.get(
            reverse("evidence:artifact", args=[letter.artifact_version.artifact.uuid])
        )
        path = reverse("evidence:letter_decide", args=[system.slug, letter.uuid])
        assert path not in page.content.decode()
        assert path not in client.get(reverse("evidence:work")).content.decode()
        assert api(person, "letters/to-decide/").json() == []
    for person in (olga, oscar):
        with pytest.raises(IntegrityError, match="the second person is another one"):
            with transaction.atomic():
                LetterAcceptance.objects.create(
                    letter=letter,
                    system=system,
                    reviewer=person,
                    registered_by=olga,
                    report_registered_by=oscar,
                    decision="accept",
                    decided_on=DAY,
                    reviewer_name="x",
                )


def test_a_reviewer_who_registered_a_letter_does_not_decide_on_it_by_a_review(
    report, system, olga, rita, as_user
):
    """R32: olga's review of oscar's report decides on everything but her own letter."""
    register.add_letter(
        report, issued_on=dt.date(2026, 6, 30), ends=dt.date(2026, 6, 30), by=olga
    )
    review(report, system, olga)
    client = as_user(rita)
    assert asserted(client, system) == 0
    assert [row.system for row in letters_to_decide(rita)] == [system]
    assert decide(client, report.letters.get(), system, decision="accept") == 302
    assert asserted(client, system) == ASSERTED


def test_nor_does_who_registered_the_same_letter_before(
    report, system, olga, rita, as_user
):
    """R32: olga's was to another day; rita registered it anew, and olga relies."""
    june = dt.date(2026, 6, 30)
    factories.give_installation_roles(rita)
    register.add_letter(report, issued_on=june, ends=dt.date(2026, 6, 15), by=olga)
    register.add_letter(report, issued_on=june, ends=june, by=rita)
    review(report, system, olga)
    assert asserted(as_user(rita), system) == 0
    with pytest.raises(IntegrityError, match="the second person is another one"):
        with transaction.atomic():
            LetterAcceptance.objects.create(
                letter=report.letters.latest("pk"),
                system=system,
                reviewer=olga,
                registered_by=rita,
                report_registered_by=rita,
                decision="accept",
                decided_on=DAY,
                reviewer_name="x",
            )


def test_a_review_that_does_not_rely_accepts_no_letter(
    report, system, olga, rita, as_user
):
    """R24, R32: nor does a later review by whoever registered the letter."""
    register.add_letter(
        report, issued_on=dt.date(2026, 6, 30), ends=dt.date(2026, 6, 30), by=olga
    )
    review(report, system, rita, "do-not-rely")
    assert letters_to_decide(rita) == []  # the next review decides on it
    review(report, system, olga)
    client = as_user(rita)
    assert asserted(client, system) == 0
    assert [row.system for row in letters_to_decide(rita)] == [system]
    review(report, system, rita)
    assert asserted(client, system) == ASSERTED
    assert letters_to_decide(rita) == []


def test_a_review_decides_on_no_letter_that_its_page_did_not_show(
    report, system, olga, rita, as_user
):
    """R24: one registered while the page was open is shown before it is relied on."""
    client = as_user(rita)
    path = reverse("evidence:reliance", args=[system.slug, report.uuid])
    opened = client.get(path).content.decode()
    day = dt.date(2026, 6, 30)
    letter = register.add_letter(report, issued_on=day, ends=day, by=olga)
    assert str(letter.uuid) not in opened
    refusal = client.post(path, NOTES | {"conclusion": "rely"})
    assert refusal.status_code == 409
    assert not report.reliance_reviews.exists()
    field = f'name="letters" value="{letter.uuid}"'
    for word in ("was registered since you opened this page", field, "Ends in March"):
        assert word in refusal.content.decode()
    body = NOTES | {"conclusion": "rely", "letters": [str(letter.uuid)]}
    assert client.post(path, body).status_code == 302
    assert asserted(client, system) == ASSERTED


@pytest.mark.parametrize(
    ("who", "status"), [("alice", 403), ("audrey", 403), ("mallory", 404)]
)
def test_others_do_not_decide(who, status, letter, system, request, as_user):
    person = request.getfixturevalue(who)
    assert decide(as_user(person), letter, system, decision="accept") == status
    body = {"system": system.slug, "decision": "accept"}
    answer = api(person, f"letters/{letter.uuid}/decisions/", body)
    assert answer.status_code == status
    assert not LetterAcceptance.objects.exists()


def test_whoever_may_decide_finds_it_everywhere(letter, system, rita, as_user):
    """My work, the report's page, the list of the API and a notice, until decided."""
    path = reverse("evidence:letter_decide", args=[system.slug, letter.uuid])
    artifact = reverse(
        "evidence:artifact", args=[letter.artifact_version.artifact.uuid]
    )
    client = as_user(rita)

    def open_notices() -> list[str]:
        gather_notices(clock.now())
        mine = Notice.objects.visible_to(rita).filter(ended_at=None)
        return [row.sentence for row in mine if "Letter of 2026-06-30" in row.sentence]

    for page in (reverse("evidence:work"), artifact):
        assert path in client.get(page).content.decode()
    assert len(open_notices()) == 1
    (row,) = api(rita, "letters/to-decide/").json()
    assert (row["letter"]["uuid"], row["system"]) == (str(letter.uuid), system.slug)
    body = {"system": system.slug, "decision": "accept"}
    made = api(rita, f"letters/{letter.uuid}/decisions/", body)
    assert made.status_code == 201
    assert api(rita, f"letters/{letter.uuid}/decisions/").json() == [made.json()]
    for page in (reverse("evidence:work"), artifact):
        assert path not in client.get(page).content.decode()
    assert open_notices() == []
    assert api(rita, "letters/to-decide/").json() == []


def test_it_is_decided_once_and_only_where_the_report_is_relied_on(
    letter, relied_on, system, rita, as_user
):
    client = as_user(rita)
    review(relied_on, system, rita, "do-not-rely")  # decides on the letter as well
    assert decide(client, letter, system, decision="accept") == 409
    unread = factories.make_report(
        relied_on.artifact, dt.date(2025, 4, 1), dt.date(2025, 9, 30)
    )
    early = register.add_letter(
        unread,
        issued_on=dt.date(2025, 12, 1),
        ends=dt.date(2025, 12, 1),
        by=relied_on.registered_by,
    )
    assert decide(client, early, system, decision="accept") == 409
    assert decide(client, early, system, decision="perhaps") == 400
    assert not LetterAcceptance.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_upgrade_names_registrars_and_changes_nothing_else(letter, olga, owner_dsn):
    """R35: no letter looks as if it had become known by the upgrade."""
    step = import_module("evidence.migrations.0013_letters_wait_for_a_second_person")
    with psycopg.connect(owner_dsn) as owner:
        owner.execute("ALTER TABLE evidence_continuityletter DISABLE TRIGGER USER")
        owner.execute("UPDATE evidence_continuityletter SET registered_by_id = NULL")
        owner.execute("ALTER TABLE evidence_continuityletter ENABLE TRIGGER USER")
        owner.execute(step.NAME_THE_REGISTRARS)
        kept = owner.execute("SELECT count(*) FROM evidence_continuityletter_history")
        assert kept.fetchone() == (0,)
    stored = ContinuityLetter.objects.get()
    assert (stored.registered_by, stored.known_from) == (olga, letter.known_from)
