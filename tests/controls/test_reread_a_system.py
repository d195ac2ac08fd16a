"""R8: newer readings change a class only once an officer has seen and recorded it."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from django.core.management import call_command

from controls.history.clock import knowledge_now
from controls.models import (
    AuditEvent,
    Control,
    ControlImplementation,
    ControlLayer,
    ReferenceVersion,
    ResponsibilityDecision,
    System,
)
from controls.models.catalog import Origin
from controls.reference.shipped_files import shipped_version
from controls.reference.updates import adopt, digest_of, preview
from controls.responsibility.decide import redecide
from controls.responsibility.overrides import decide_override, request_override
from evidence.status.control_status import control_statuses, now
from evidence.status.gather import Moment
from tests.factories import (
    administrator,
    catalog_slug,
    make_baseline,
    make_system,
)

pytestmark = pytest.mark.django_db
URL = "/systems/payments/rereading/"
SHIPPED = shipped_version()


def read_anew(ref_id: str = "pe-3", layer: str = "guest-os") -> ControlLayer:
    """A local reading that shadows the shipped ones of a control."""
    return ControlLayer.objects.create(
        control=Control.objects.get(ref_id=ref_id, catalog__slug=catalog_slug()),
        layer=layer,
        reason="Our own guards at our own doors, said by our lawyers.",
        origin=Origin.LOCAL,
        reference_version=ReferenceVersion.objects.for_local(SHIPPED, ref_id),
    )


def class_of(system, ref_id: str = "pe-3") -> str:
    found = system.implementations.get(control__ref_id=ref_id)
    return ControlImplementation.objects.get(pk=found.pk).responsibility


@pytest.fixture
def system(system):
    """Created before the readings are edited."""
    time.sleep(0.01)
    return system


def test_a_new_reading_changes_nothing_until_it_is_recorded(system, oscar, as_user):
    assert class_of(system) == "inherited"
    read_anew()
    assert class_of(system) == "inherited"
    browser = as_user(oscar)
    notice = browser.get("/systems/payments/").content.decode()
    assert "is newer than what the classes were last compared with" in notice
    page = browser.get(URL)
    (change,) = page.context["changes"]
    assert (change.before, change.after) == ("inherited", "shared")
    assert not AuditEvent.objects.filter(verb="responsibility.reread").exists()

    assert browser.post(URL, {"seen": page.context["seen"]}).status_code == 302

    assert class_of(system) == "shared"
    decision = ResponsibilityDecision.objects.order_by("-pk")[0]
    assert str(decision.reference_version) == f"{SHIPPED}+local.1"
    assert AuditEvent.objects.filter(verb="responsibility.reread").count() == 1
    assert "is newer" not in browser.get("/systems/payments/").content.decode()


def test_what_was_known_before_still_answers_as_it_did(system, oscar):
    before = now()
    read_anew()
    adopt(system, by=oscar, seen=digest_of(preview(system)))
    pk = system.implementations.get(control__ref_id="pe-3").pk
    then, today = Moment(dt.date(2026, 6, 1), before), Moment(dt.date(2026, 6, 1))
    (old,) = control_statuses(system, then, pks=[pk])
    (new,) = control_statuses(system, today, pks=[pk])
    assert old.facts.responsibility == "inherited"
    assert new.facts.responsibility == "shared"


@pytest.fixture
def ours(system) -> System:
    """PE-3 is shared by our own reading; that is taken back, and nobody looked yet."""
    reading = read_anew()
    redecide(system, by=administrator(), reason="Our own doors", before=None)
    assert class_of(system) == "shared"
    reading.delete()
    ReferenceVersion.objects.for_local(SHIPPED, "without our doors")
    return system


def classes_of(system, *days: dt.date, ref_id: str = "pe-3") -> list[str]:
    pk = system.implementations.get(control__ref_id=ref_id).pk
    answers = [control_statuses(system, Moment(day), pks=[pk]) for day in days]
    return [answer.facts.responsibility for (answer,) in answers]


def test_what_takes_our_half_away_leaves_past_days_as_they_were(ours, oscar, as_user):
    """R8, R31, R32: misses of days that are over would fall away by one person."""
    browser = as_user(oscar)
    (change,) = browser.get(URL).context["changes"]
    today = ours.day_of(knowledge_now())
    assert (change.start, change.before, change.after) == (today, "shared", "inherited")
    browser.post(URL, {"seen": digest_of([change])})
    yesterday = today - dt.timedelta(days=1)
    assert classes_of(ours, yesterday, today) == ["shared", "inherited"]
    assert browser.get(URL).context["changes"] == []


def end_today(system, browser) -> None:
    component = system.components.order_by("pk")[0]
    url = f"/api/v1/systems/payments/components/{component.uuid}/"
    ended = browser.post(
        f"{url}end/",
        {"last_day": str(system.day_of(knowledge_now()))},
        content_type="application/json",
        headers={"If-Match": browser.get(url)["ETag"]},
    )
    assert ended.status_code == 200, ended.content


def test_a_reading_that_waits_is_recorded_by_nothing_else(ours, oscar, as_user):
    """R8: neither by the end of a component, which looks at every day anew, nor ..."""
    browser = as_user(oscar)
    end_today(ours, browser)
    today = ours.day_of(knowledge_now())
    yesterday = today - dt.timedelta(days=1)
    assert classes_of(ours, yesterday, today) == ["shared", "shared"]
    changes = browser.get(URL).context["changes"]
    assert "pe-3" in {change.implementation.control.ref_id for change in changes}


def test_what_two_agreed_on_carries_no_other_reading(ours, oscar, olga, as_user):
    """R8, R31, R32: ... by what two officers agreed on for another control."""
    pe_13 = ours.implementations.get(control__ref_id="pe-13")
    today = ours.day_of(knowledge_now())
    yesterday = today - dt.timedelta(days=1)
    override = request_override(
        pe_13,
        responsibility="shared",
        reason="The landlord asks for our own extinguishers.",
        starts_on=today,
        ends_on=today + dt.timedelta(days=90),
        by=oscar,
    )
    decide_override(override, approve=True, by=olga)
    assert classes_of(ours, yesterday, today, ref_id="pe-13") == ["inherited", "shared"]
    assert classes_of(ours, yesterday, today) == ["shared", "shared"]


def test_who_edited_a_reading_does_not_take_a_half_away_by_it(ours, oscar, as_user):
    """R8, R32: the superuser who edits a reading is not the officer who adopts it,
    where a half has nothing to prove any more by it; another officer is."""
    root = administrator()
    browser = as_user(root)
    mine = {
        "control": Control.objects.get(ref_id="ac-1", catalog__slug=catalog_slug()).pk,
        "statement_id": "",
        "layer": "facilities",
        "reason": "Said to be AWS's.",
        "seen_version": "",
    }
    assert browser.post("/admin/controls/controllayer/add/", mine).status_code == 302
    seen = browser.get(URL).context["seen"]
    refused = browser.post(URL, {"seen": seen})
    assert refused.status_code == 403
    assert "another officer has to record it" in refused.content.decode()
    answer = browser.post(
        "/api/v1/systems/payments/rereading/",
        {"seen": seen},
        content_type="application/json",
    )
    assert answer.status_code == 403
    assert class_of(ours) == "shared"
    assert as_user(oscar).post(URL, {"seen": seen}).status_code == 302
    assert class_of(ours) == "inherited"


def test_own_code_ticked_off_in_the_admin_speaks_of_today_on(oscar, as_user):
    """R1, R31, R32: “no code of its own” is said by one person, of no day before."""
    signed = make_baseline(["cm-14"], slug="signed-components")
    system = make_system(oscar, slug="store", services=["s3"], baseline=signed)
    today = system.day_of(knowledge_now())
    yesterday = today - dt.timedelta(days=1)
    said = {"name": "Store", "description": "", "seen_version": system.version}
    url = f"/admin/controls/system/{system.pk}/change/"
    assert as_user(administrator()).post(url, said).status_code == 302
    assert classes_of(system, yesterday, today, ref_id="cm-14") == [
        "shared",
        "inherited",
    ]


def test_looking_writes_nothing(system, oscar, as_user):
    read_anew()
    browser = as_user(oscar)
    rows = ResponsibilityDecision.objects.count(), AuditEvent.objects.count()
    assert browser.get(URL).status_code == 200
    assert (ResponsibilityDecision.objects.count(), AuditEvent.objects.count()) == rows


def test_other_changes_than_were_seen_are_refused(system, oscar, as_user):
    read_anew()
    browser = as_user(oscar)
    seen = browser.get(URL).context["seen"]
    read_anew("pe-13")
    answer = browser.post(URL, {"seen": seen})
    assert answer.status_code == 409
    assert len(answer.context["changes"]) == 2
    assert class_of(system) == "inherited"


def test_with_nothing_to_change_the_comparison_is_recorded(system, oscar, as_user):
    ReferenceVersion.objects.for_local(SHIPPED, "nothing")
    browser = as_user(oscar)
    page = browser.get(URL)
    assert "Nothing would change" in page.content.decode()
    browser.post(URL, {"seen": page.context["seen"]})
    assert "is newer" not in browser.get("/systems/payments/").content.decode()


@pytest.mark.parametrize(
    ("name", "status"),
    [("alice", 403), ("rita", 403), ("audrey", 403), ("mallory", 404)],
)
def test_others_neither_see_nor_record_it(system, as_user, request, name, status):
    read_anew()
    browser = as_user(request.getfixturevalue(name))
    api = "/api/v1/systems/payments/rereading/"
    assert browser.get(URL).status_code == status
    assert browser.post(URL, {"seen": ""}).status_code == status
    assert browser.get(api).status_code == status
    said = {"seen": "0" * 64}
    answer = browser.post(api, said, content_type="application/json")
    assert answer.status_code == status
    assert class_of(system) == "inherited"


def test_the_api_previews_and_records(system, oscar, as_user):
    read_anew()
    browser, path = as_user(oscar), "/api/v1/systems/payments/rereading/"
    seen = browser.get(path).json()
    assert seen["changes"][0]["control_id"] == "pe-3"
    wrong = browser.post(path, {"seen": "0" * 64}, content_type="application/json")
    assert wrong.status_code == 409
    said = {"seen": seen["seen"]}
    done = browser.post(path, said, content_type="application/json")
    assert done.json() == {"controls": 1}


def test_the_command_says_what_waits_and_records_it(system, oscar, capsys):
    read_anew()
    with pytest.raises(SystemExit) as waiting:
        call_command("reread", "payments")
    assert waiting.value.code == 1
    assert "inherited -> shared" in capsys.readouterr().out
    with pytest.raises(SystemExit) as wrong:
        call_command("reread", "payments", "--adopt")
    assert wrong.value.code == 2
    call_command("reread", "payments", "--adopt", "--by", oscar.email)
    assert class_of(system) == "shared"
    with pytest.raises(SystemExit) as nothing:
        call_command("reread", "payments")
    assert nothing.value.code == 0


def test_superusers_edit_local_readings_and_only_those(system, as_user, olga):
    olga.is_staff = olga.is_superuser = True
    olga.save()
    browser = as_user(olga)
    control = Control.objects.get(ref_id="pe-3", catalog__slug=catalog_slug())
    shipped = ControlLayer.objects.filter(control=control)[0]
    add = "/admin/controls/controllayer/add/"
    said = {
        "control": control.pk,
        "statement_id": "",
        "layer": "organisation",
        "reason": "Our own doors.",
        "seen_version": "",
    }
    assert browser.post(add, said).status_code == 302
    local = ControlLayer.objects.get(origin=Origin.LOCAL)
    assert str(local.reference_version).startswith(f"{SHIPPED}+local.")
    assert AuditEvent.objects.filter(verb="reading.added").count() == 1
    change = f"/admin/controls/controllayer/{shipped.pk}/change/"
    assert browser.post(change, said | {"reason": "x"}).status_code == 403
    delete = f"/admin/controls/controllayer/{local.pk}/delete/"
    assert browser.post(delete, {"post": "yes"}).status_code == 302
    assert not ControlLayer.objects.filter(origin=Origin.LOCAL).exists()
    assert class_of(system) == "inherited"
