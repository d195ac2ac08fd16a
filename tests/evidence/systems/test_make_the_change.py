"""S9, R31, R32: an officer makes a comparison of services real, in one confirmed step.

What follows is shown first and nothing is written by looking; confirmed with a reason
it is one end, one start, one derivation and one event, once; what changed meanwhile
refuses it with the form kept; days before today wait for the second officer.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re

import pytest
from django.db import connection
from django.urls import reverse

from controls.models import (
    AuditEvent,
    Baseline,
    ResponsibilityDecision,
    RetrospectiveChange,
    SystemComponent,
)
from controls.responsibility.derive import organisation
from controls.responsibility.inputs import component_in_use, layers_of_controls
from controls.responsibility.what_if import compare
from evidence.models import RequirementControl
from evidence.systems.describe import Use, add_component
from tests import factories
from tests.evidence.systems.test_days_of_a_component import decide, ec2_of
from tests.factories import variant
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
SWAP = {"end": "ec2:standard", "add": "fargate:standard"}
WHY = "Containers need no servers of ours."
CONTENTS = """
SELECT coalesce(string_agg(c.relname, ' '), '') FROM pg_class c
 WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""
# That somebody was here: sessions, and the record of who was refused.
OF_VISITS = {"django_session", "usersessions_usersession", "controls_auditevent"}


def rows() -> dict[str, str]:
    """A hash of the rows of each table, those of visits excepted."""
    hashes = {}
    with connection.cursor() as cursor:
        cursor.execute(CONTENTS)
        for table in set(cursor.fetchone()[0].split()) - OF_VISITS:
            cursor.execute(
                "SELECT md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), ''))"
                f' FROM "{table}" t'
            )
            hashes[table] = cursor.fetchone()[0]
    return hashes


def page_of(browser, system, **query):
    url = reverse("evidence:what_if", args=[system.slug])
    return browser.get(url, SWAP | query)


def post(browser, system, follow=False, **said):
    url = reverse("evidence:services_change", args=[system.slug])
    return browser.post(url, SWAP | {"first_day": TODAY} | said, follow=follow)


def previewed(browser, system, **said):
    page = post(browser, system, **said)
    assert page.status_code == 200, page.content.decode()
    return page.context["found"], page.context["token"]


def events_of(system):
    return list(
        AuditEvent.objects.filter(chain=str(system.uuid))
        .order_by("seq")
        .values_list("verb", flat=True)
    )


def fargate_of(system):
    return system.components.get(variant__service__slug="fargate")


def test_guests_duties_move_to_the_provider_and_identity_stays_once(
    system, oscar, as_user
):
    """S9: the provider of Fargate runs the guest that we run on EC2. What is ours on
    both is neither dropped nor new."""
    page = page_of(as_user(oscar), system)
    found = page.context["found"]
    assert {d.row.layer: d.controls for d in found.moved} == {"guest-os": 3}
    assert not found.dropped
    assert not found.new
    assert "identity" in {d.row.layer for d in found.carried}
    text = page.content.decode()
    assert text.index("Choose others") < text.index("Controls by class, before")
    assert "Make this change from 23 November 2026" in text


@pytest.mark.parametrize(
    ("baseline", "guest", "identity"),
    [("nist-moderate", 22, 59), ("fedramp-moderate", 29, 69)],
)
def test_the_guests_duties_move_and_identity_stays(baseline, guest, identity) -> None:
    """S9, with what is shipped: so many controls ask for the guest of EC2, and for who
    may do what there."""
    controls = Baseline.objects.get(slug=baseline).controls.all()
    layers = layers_of_controls(controls)
    uses = {
        name: component_in_use(name, "standard", "aws", variant(name).layers.all())
        for name in ("ec2", "fargate")
    }
    ours = organisation()
    found = compare(layers, [ours, uses["ec2"]], [ours, uses["fargate"]])
    assert {d.row.layer: d.controls for d in found.moved} == {"guest-os": guest}
    carried = {d.row.layer: d.controls for d in found.carried}
    assert carried["identity"] == identity
    assert not found.dropped
    assert not found.new


def test_looking_and_previewing_change_no_row(system, oscar, as_user):
    """S9: the database is, to the last column, what it was."""
    browser = as_user(oscar)
    before, events = rows(), AuditEvent.objects.count()
    assert page_of(browser, system).status_code == 200
    url = reverse("evidence:what_if_csv", args=[system.slug])
    assert browser.get(url, SWAP).status_code == 200
    previewed(browser, system)
    api = reverse("api_services_preview", args=[system.slug])
    body = {"end": ["ec2"], "add": ["fargate"]}
    assert browser.post(api, body, "application/json").status_code == 200
    assert rows() == before
    assert AuditEvent.objects.count() == events


def test_confirmed_it_is_one_end_one_start_and_one_event(system, oscar, as_user):
    """R9: decisions are those of the preview; sent again it makes nothing more."""
    browser, before = as_user(oscar), events_of(system)
    found, token = previewed(browser, system)
    decisions = ResponsibilityDecision.objects.count()
    done = post(browser, system, token=token, reason=WHY, follow=True)
    assert "The services are changed" in done.content.decode()
    assert ec2_of(system).used_until == TODAY
    begun = fargate_of(system)
    assert (begun.used_from, begun.used_until) == (TODAY, None)
    assert begun.regions == ["us-east-1"]
    assert ResponsibilityDecision.objects.count() - decisions == found.decided
    assert events_of(system)[len(before) :] == ["services.changed"]
    assert found.turns
    for turn in found.turns:
        row = system.implementations.get(control__label=turn.control)
        assert row.responsibility == turn.after
    after = events_of(system)
    again = post(browser, system, token=token, reason=WHY, follow=True)
    assert "submitted before" in again.content.decode()
    assert events_of(system) == after
    assert system.components.filter(variant__service__slug="fargate").count() == 1


def hidden_fields(page, action):
    """What the form that leads to an address sends unseen, without its CSRF token."""
    form = page.content.decode().split(f'action="{action}"')[1].split("</form>")[0]
    pairs = re.findall(r'type="hidden"\s+name="(\w+)"\s+value="([^"]*)"', form)
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return {n: v for n, v in fields.items() if n != "csrfmiddlewaretoken"}


def test_the_forms_of_the_pages_lead_from_the_comparison_to_the_change(
    system, oscar, as_user
):
    """S9: the address of the comparison says all that the change needs."""
    browser = as_user(oscar)
    action = reverse("evidence:services_change", args=[system.slug])
    day = TODAY + 5 * DAY
    compared = page_of(browser, system, first_day=day, regions="us-west-2")
    shown = browser.post(action, hidden_fields(compared, action))
    assert shown.status_code == 200
    text = " ".join(shown.content.decode().split())
    assert "Amazon EC2 ends: the last day is 27 November 2026" in text
    assert "AWS Fargate begins on 28 November 2026" in text
    sent = hidden_fields(shown, action) | {"reason": WHY}
    assert browser.post(action, sent).status_code == 302
    assert ec2_of(system).used_until == day
    assert fargate_of(system).regions == ["us-west-2"]


def test_without_a_reason_nothing_is_done_and_the_choice_stays(system, oscar, as_user):
    """R32: why stands on record."""
    browser = as_user(oscar)
    _, token = previewed(browser, system)
    page = post(browser, system, token=token, reason="  ")
    assert page.status_code == 422
    assert "Say why the services change." in page.content.decode()
    assert ec2_of(system).used_until is None


def test_what_changed_meanwhile_refuses_it_with_the_form_kept(system, oscar, as_user):
    """R24's kin: nobody confirms what is not so any more; the new preview counts."""
    browser = as_user(oscar)
    _, token = previewed(browser, system)
    add_component(system, Use(variant("rds"), TODAY), by=oscar, today=TODAY)
    page = post(browser, system, token=token, reason=WHY)
    shown = page.content.decode()
    assert page.status_code == 409
    assert "The system changed since this was shown" in shown
    assert WHY in shown
    assert ec2_of(system).used_until is None
    fresh = page.context["token"]
    assert post(browser, system, token=fresh, reason=WHY).status_code == 302
    assert ec2_of(system).used_until == TODAY


def test_an_earlier_day_waits_for_the_second_officer(system, oscar, olga, as_user):
    """R31: asked for as one change in retrospect; approved, it holds and is marked."""
    browser, first = as_user(oscar), TODAY - 40 * DAY
    found, token = previewed(browser, system, first_day=first)
    assert found.in_retrospect
    done = post(browser, system, first_day=first, token=token, reason=WHY, follow=True)
    change = RetrospectiveChange.objects.get()
    shown = done.content.decode()
    assert (change.kind, change.first_day) == ("services", first)
    assert "Amazon EC2" in shown
    assert "AWS Fargate" in shown
    assert ec2_of(system).used_until is None
    assert decide(as_user(olga), change).status_code == 200
    assert ec2_of(system).used_until == first
    assert fargate_of(system).change == change
    made = ResponsibilityDecision.objects.filter(change=change)
    assert made.values("implementation").distinct().count() == found.decided
    assert "services.changed" in events_of(system)


def test_a_later_day_asks_from_that_day_for_what_becomes_ours(system, oscar, as_user):
    """R11: what becomes ours in two months is asked from then on."""
    first = TODAY + 60 * DAY
    choice = {"end": [], "add": "office:standard", "first_day": first}
    found, token = previewed(as_user(oscar), system, **choice)
    newly = [turn for turn in found.turns if turn.after in ("customer", "shared")]
    assert found.asks
    assert len(found.asks) <= len(newly)
    done = post(as_user(oscar), system, token=token, reason=WHY, **choice)
    assert done.status_code == 302
    asked = RequirementControl.objects.filter(system=system, operates_from=first)
    assert asked.count() == len(found.asks)


def test_officers_alone_may(system, oscar, alice, rita, audrey, mallory, as_user):
    """R32: page and API refuse everybody else; another's preview does not count."""
    _, token = previewed(as_user(oscar), system)
    confirm = reverse("api_services_confirm", args=[system.slug])
    for person, status in ((alice, 403), (rita, 403), (audrey, 403), (mallory, 404)):
        browser = as_user(person)
        assert post(browser, system).status_code == status
        body = {"token": token, "reason": WHY}
        answer = browser.post(confirm, body, "application/json")
        assert answer.status_code == status
        assert "Make this change" not in page_of(browser, system).content.decode()
    assert ec2_of(system).used_until is None


def test_the_api_previews_and_confirms(system, oscar, olga, as_user):
    """R9: the same over the API; the preview is its maker's alone."""
    browser = as_user(oscar)
    preview = reverse("api_services_preview", args=[system.slug])
    confirm = reverse("api_services_confirm", args=[system.slug])
    body = {"end": ["ec2"], "add": ["fargate"], "first_day": str(TODAY)}
    shown = browser.post(preview, body, "application/json").json()
    assert shown["ended"] == ["Amazon EC2"]
    assert not shown["in_retrospect"]
    said = {"token": shown["token"], "reason": WHY}
    others = as_user(olga).post(confirm, said, "application/json")
    assert others.status_code == 409
    done = as_user(oscar).post(confirm, said, "application/json")
    assert (done.status_code, done.json()["controls"]) == (200, shown["decided"])
    unknown = browser.post(preview, {"add": ["lambada"]}, "application/json")
    assert "Nearest: lambda" in unknown.json()["errors"]["add"][0]
    nothing = browser.post(preview, {}, "application/json")
    assert nothing.status_code == 400


def test_reports_that_do_not_name_the_new_service_are_said(
    system, oscar, olga, as_user, settings, tmp_path
):
    """R23: a report that names S3 and EC2 alone proves nothing of Fargate."""
    settings.EVIDENCE_STORE = str(tmp_path)
    artifact = factories.make_artifact(oscar, ["si-2"], title="AWS SOC 2")
    report = factories.make_report(
        artifact, TODAY - 300 * DAY, TODAY + DAY, services=["s3", "ec2"], label="R1"
    )
    factories.rely_on(report, system, by=olga)
    unproven = page_of(as_user(oscar), system).context["unproven"]
    by_control = [row for row in unproven if "SI-2" in row.controls]
    assert [row.service for row in by_control] == ["AWS Fargate"]
    assert "outside the scope of" in by_control[0].sentence


def test_the_file_says_what_the_page_says(system, oscar, as_user):
    """R9: the comparison as CSV, a line for each control that changes."""
    browser = as_user(oscar)
    changes = page_of(browser, system).context["found"].changes
    url = reverse("evidence:what_if_csv", args=[system.slug])
    answer = browser.get(url, SWAP)
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["Control"] for row in lines] == [
        c.control.control.label for c in changes
    ]
    moved = [row for row in lines if row["A provider takes over"]]
    assert len(moved) == 3
    assert f"what-if-{TODAY}" in answer["Content-Disposition"]


def test_what_cannot_end_or_begin_is_a_sentence(system, oscar, as_user):
    """R31: a day before the system's first, and one on which nothing can end."""
    browser = as_user(oscar)
    early = post(browser, system, first_day="2019-01-01", end=[])
    assert early.status_code == 422
    assert "first day is" in early.content.decode()
    begun = SystemComponent.objects.filter(system=system).order_by("used_from")[0]
    on_it = post(browser, system, first_day=begun.used_from, add=[])
    assert on_it.status_code == 422
    assert "cannot end on that day" in on_it.content.decode()
