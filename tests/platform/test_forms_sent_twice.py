"""RE-03: a form that makes something makes it once, whatever a browser does with it.

A double click and the back button send the same token again; another tab has another.
One file: one table of all forms, tried in each of these ways.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from html import unescape
from typing import Any, NamedTuple

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse

from controls.idempotency import forget_old_keys
from controls.models import IdempotencyKey, Team
from evidence.models import Evidence, Export, RequirementControl, SpillRemoval
from evidence.views.once import SAME_AGAIN
from tests.access import world as worlds
from tests.access.bodies import platforms_duties
from tests.access.walking import doors, said_in_table
from tests.access.world import World
from tests.api.keyed import monthly, rows
from tests.evidence.house import file
from tests.evidence.systems.test_describe_a_system import filled_in
from tests.factories import make_system, variant
from tests.one_day import TODAY
from tests.sign_ins import sign_in_just_now

LATER = TODAY + dt.timedelta(days=20)
YESTERDAY = TODAY - dt.timedelta(days=1)
EARLIER = TODAY - dt.timedelta(days=20)
DAYS = {"performed_on": TODAY, "period_start": TODAY, "period_end": TODAY,
        "collected_on": TODAY}  # fmt: skip
STATEMENTS = b"Control ID,Responsibility,Description\nPE-3,Inherited,Guards.\n"
TOKEN = re.compile(r'name="form_token" value="([0-9a-f]{36})"')
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


class Form(NamedTuple):
    """A form of a page: where it is shown, who sends it, and what differs the second
    time."""

    who: str
    body: dict[str, Any]
    change: dict[str, Any]
    page: str = ""
    files: dict[str, bytes] = {}


def forms(world: World) -> dict[str, Form]:
    """Every form that makes something, by the view it is sent to."""
    house = world.house
    inventory = house.requirement("cm-8")
    evidence = world.named["evidence"]["uuid"]
    reason = {"reason": "Because."}
    report = {
        "label": "Autumn", "starts": "2025-10-01", "ends": "2026-03-31",
        "impact_level": "", "partition": "aws", "all_services": "on", "regions": "*",
    }  # fmt: skip
    asked = {
        "title": "Look again", "cadence": "monthly", "purpose": "operation",
        "operates_from": TODAY,
    }  # fmt: skip
    notes = {"scope_note": "s", "period_note": "p", "conclusion": "rely"}
    control = "/systems/shop/controls/si-2/"
    upload = DAYS | {"title": "Inventory", "sensitivity": "internal"}
    ahead = TODAY + dt.timedelta(days=210)
    rows_to_join = [str(world.named[f"to join {n}"]["uuid"]) for n in range(2)]
    ask_page = f"/systems/shop/asks/{world.named['ask']['uuid']}/"
    return {
        "upload": Form(
            "alice", upload, {"title": "Other"}, files={"files": b"patched"}
        ),
        "upload_supplementary": Form(
            "alice", upload, {"title": "Other"}, files={"files": b"patched"}
        ),
        "revision_new": Form(
            "alice",
            DAYS | reason | {"kind": "addition"},
            {"reason": "Else."},
            files={"files": b"more"},
        ),
        "attach": Form(
            "alice", {"requirement": monthly("si-2").pk}, {"requirement": 0}
        ),
        "system_new": Form("olivia", filled_in(), {"name": "Other"}),
        "component_add": Form(
            "olivia",
            {"variant": variant("rds").pk, "used_from": TODAY, "regions": "us-east-1"},
            {"regions": "eu-west-1"},
            "/systems/shop/components/",
        ),
        "duties_acknowledge": Form(
            "alice",
            {"team": "platform", "duties": platforms_duties(world.house.system)},
            {"team": "data"},
            "/systems/shop/matrix/",
        ),
        "people_invite": Form(
            "olivia",
            {"address": "dan@example.test", "role": "reader", "starts_on": TODAY},
            {"address": "eve@example.test"},
            "/systems/shop/people/",
        ),
        "engagement_new": Form(
            "olivia",
            {"title": "SOC 2", "kind": "type2", "firm": "Audit & Sons",
             "window_start": TODAY, "window_end": LATER},
            {"title": "ISO"},
            "/systems/shop/engagements/",
        ),
        "engagement_add_system": Form(
            "olivia",
            {"system": "depot", "version": 1},
            {"let_in": "on"},
            f"/systems/shop/engagements/{world.named['engagement_access']['uuid']}/",
        ),
        "request_new": Form(
            "olivia",
            {"title": "Show", "control_ids": "CM-8", "due_on": LATER,
             "team": Team.objects.get(slug="platform").pk},
            {"title": "Other"},
        ),
        "request_answer": Form(
            "alice",
            {"evidence": Evidence.objects.get(uuid=evidence).pk, "version": 1},
            {"note": "Else"},
            f"/requests/{world.named['request']['uuid']}/",
        ),
        "requirement_templates": Form("olivia", {}, {"x": "y"}),
        "join_preview": Form(
            "olivia",
            {"title": "Both", "cadence": "monthly", "purpose": "operation",
             "from_day": ahead, "row": rows_to_join}
            | {f"joins_{uuid}": "on" for uuid in rows_to_join}
            | {f"line_{uuid}": "Its part" for uuid in rows_to_join},
            {"title": "Other"},
            "/systems/shop/requirements/join/these/?row="
            + "&row=".join(rows_to_join),
        ),
        "ask_split": Form(
            "olivia",
            {"rows": str(world.named["row of an ask"]["uuid"]), "from_day": ahead},
            {"reason": "Else."},
            ask_page,
        ),
        "ask_add": Form(
            "olivia",
            {"control": "PE-3", "what_it_shows": "Its part", "from_day": ahead},
            {"what_it_shows": "Else."},
            ask_page,
        ),
        "requirement_new": Form("olivia", asked, {"title": "Other"}),
        "override_request": Form(
            "olivia",
            reason
            | {"responsibility": "customer", "starts_on": TODAY, "ends_on": LATER},
            {"reason": "Else."},
            control,
        ),
        "na_request": Form(
            "olivia",
            {"justification": "None here.", "review_by": LATER},
            {"justification": "Else."},
            control,
        ),
        "alternative_request": Form(
            "olivia",
            {"constraint": "No agent.", "objective": "A list.", "residual_risk": "Low.",
             "requirements": str(inventory.uuid), "starts_on": TODAY,
             "review_by": LATER},
            {"constraint": "Else."},
            "/systems/shop/controls/cm-8/",
        ),
        "status_in_retrospect": Form(
            "olivia",
            reason | {"implementation_status": "partial", "first_day": EARLIER},
            {"reason": "Else."},
            "/systems/shop/controls/cm-8/",
        ),
        "removal_new": Form("olivia", reason, {"reason": "Else."}),
        "hold_new": Form("olivia", reason, {"reason": "Else."}),
        "sample_draw": Form(
            "olivia",
            reason | {"method": "all"},
            {"reason": "Else."},
            f"/populations/{world.named['population']['uuid']}/",
        ),
        "deviation_new": Form(
            "alice",
            {"note": "Nobody approved."},
            {"note": "Else."},
            f"/samples/{world.named['sample']['uuid']}/",
        ),
        "artifact_new": Form(
            "olivia",
            {"title": "New", "provider": "AWS", "series": "new", "kind": "period",
             "scheme": "soc2"},
            {"title": "Other", "series": "other"},
        ),
        "version_new": Form("olivia", report, {"label": "Spring"}),
        "version_coverage": Form(
            "olivia", {"controls": "PE-3", "section": "III"}, {"section": "IV"}
        ),
        "remark_new": Form(
            "olivia",
            {"kind": "exception", "title": "CC6.1-1", "control_ids": "pe-3"},
            {"title": "CC6.1-2"},
        ),
        "remark_answer": Form(
            "olivia",
            {"choice": "not-needed", "text": "Nobody."},
            {"text": "Else."},
        ),
        "observation_new": Form(
            "olivia",
            {"observed_on": TODAY, "source": "Test", "text": "Failed."},
            {"text": "Else."},
        ),
        "finding_new": Form(
            "olivia",
            {"title": "Gap", "severity": "low", "found_on": TODAY, "source": "Test",
             "text": "Failed."},
            {"title": "Else."},
        ),
        "observation_dispose": Form(
            "olivia", {"kind": "explained", "text": "Not so."}, {"text": "Else."}
        ),
        "finding_dispose": Form(
            "olivia", {"kind": "false-positive", "text": "Not so."}, {"text": "Else."}
        ),
        "response_new": Form(
            "olivia",
            {"cause": "Ill.", "effect": "None.", "measures": "Two persons now.",
             "owner": "Platform"},
            {"cause": "Else."},
        ),
        "report_hold": Form(
            "olivia",
            {"agreement": "NDA", "term": "Keep it.", "confirmed": "on"},
            {"agreement": "Other"},
            files={"file": b"another report"},
        ),
        "report_remove": Form(
            "olivia",
            reason,
            {"reason": "Else."},
            f"/artifacts/reports/{world.named['report_hold']['uuid']}/",
        ),
        "disclosure_new": Form(
            "olivia",
            {"recipient": "Vera", "firm": "Customer AG", "given_on": TODAY,
             "reason": "Vendor review", "agreement": "NDA"},
            {"firm": "Other"},
        ),
        "letter_new": Form(
            "olivia", {"issued_on": TODAY, "ends": YESTERDAY}, {"ends": LATER}
        ),
        "cite": Form(
            "olivia",
            {"system": "shop", "family": "", "citation": "II"},
            {"citation": "III"},
        ),
        "reliance": Form("rita", notes, {"scope_note": "other"}),
        "export_request": Form(
            "olivia",
            {"system": "shop", "on": TODAY},
            {"as_known_then": "on"},
            "/exports/",
        ),
    }  # fmt: skip


# They have no page with the form of a `GET`, or the token of a preview.
PREVIEWS = {
    "bulk_confirm",
    "population_confirm",
    "provider_adopt",
    "numbers_adopt",
    "finding_import_confirm",
    "request_list_confirm",
}
# A decision, an end, a preview: done twice it is refused, or nothing is made.
WITHOUT_EFFECT = """
component_end control_describe override_decide override_settle na_decide na_end
roll_forward notices_read notice_read notice_settings request_judge requirement_edit
requirement_retire population_new population_judge provider_upload bulk rereading
provider_document_end review_several accept reject submit_draft reconfirm
reconfirmations withdraw file_clear report_term report_take_back
report_removal_decide report_fetch report_clear report_release report_fetch_new
removal_decide version_end letter_decide citation_remove export_cancel
export_delete remark_decide disposition_decide response_decide
component_days regions services_change system_terms window_days retention hold_lift
retrospective_decide
end_decide alternative_decide alternative_end decide kept_form_let_go
status_of_many status_of_many_confirm citations_decide join_asks control_text
owner_of_many owner_of_many_confirm bulk_choose bulk_act bulk_act_confirm
published_services
role_days role_end role_hand_over invitation_send invitation_withdraw
numbers_upload request_list finding_import_upload
saved_filters saved_filter_rename saved_filter_delete
engagement_renew engagement_end engagement_take_out marks_save mark results_save
event_log_csv closing_request closing_decide closing_withdraw kept_again
engagement_scope
version_user_controls version_user_controls_import
version_coverage version_coverage_preview version_coverage_import
version_coverage_begin version_coverage_lines
version_scope version_scope_confirm artifact_sync listed_place
discovery discovery_accept
"""
MAKE_NOTHING = set(WITHOUT_EFFECT.split())
MAKERS = """
upload upload_supplementary revision_new attach system_new component_add request_new
request_answer requirement_templates requirement_new override_request na_request
join_preview ask_split ask_add
hold_new
report_hold report_remove disclosure_new version_coverage
removal_new sample_draw deviation_new artifact_new version_new letter_new cite reliance
export_request alternative_request status_in_retrospect remark_new remark_answer
observation_new finding_new observation_dispose finding_dispose
response_new
people_invite duties_acknowledge engagement_new engagement_add_system
"""
NAMES = MAKERS.split()
INSIDE = {
    "upload",
    "upload_supplementary",
    "revision_new",
    "report_hold",
}  # once the body is read


@pytest.fixture
def world(db, settings, tmp_path) -> World:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = worlds.build()
    SpillRemoval.objects.update(state="refused", decided_by=built.house.olivia)
    house = built.house
    make_system(
        house.olivia, slug="depot", baseline=house.system.baseline, services=("s3",)
    )
    # something is left for the templates to ask
    RequirementControl.objects.filter(implementation__control__ref_id="ac-1").delete()
    return built


class Page:
    """A form as a browser holds it: with the token of the page that showed it."""

    def __init__(self, world: World, view: str) -> None:
        self.form = forms(world)[view]
        named = f"evidence:{view}"
        (door,) = {d for d in doors() if d.view == named and "POST" in d.methods}
        self.path = reverse(named, kwargs=world.parts(named, set(door.parts)))
        if view == "override_request" or view == "na_request":
            self.path = self.path.replace("cm-8", "si-2")
        self.client = Client(raise_request_exception=False)
        sign_in_just_now(self.client, world.house.people[self.form.who])

    def token(self) -> str:
        """Of the form that is sent here, on the page as it is shown now."""
        shown = self.client.get(self.form.page or self.path).content.decode()
        place = f'action="{self.path}"' if self.form.page else 'method="post"'
        _, _, after = shown.partition(place)
        found = TOKEN.search(after)
        assert found, shown
        return found[1]

    def send(self, token: str, *, headers: Any = None, **change: Any) -> Any:
        body = {**self.form.body, "form_token": token, **change}
        for name, content in self.form.files.items():
            body.setdefault(name, file("report.txt", content))
        return self.client.post(self.path, body, headers=headers)


def test_every_form_that_makes_something_has_a_token() -> None:
    """A new page that is posted to stands here, or among those that make nothing."""
    answers = said_in_table("olivia")
    posted = {
        door.view.partition(":")[2]: door.callback
        for door in doors()
        if door.view.startswith("evidence:") and answers["POST", door.view] != 405
    }
    marked = {view for view, callback in posted.items() if hasattr(callback, "once")}
    assert marked | INSIDE == set(NAMES) | {"provider_adopt", "numbers_adopt"}
    assert posted.keys() == set(NAMES) | PREVIEWS | MAKE_NOTHING


@pytest.mark.parametrize("view", NAMES)
def test_the_same_form_again_leads_to_what_it_made(world, view) -> None:
    """A double click, and back and submit: one thing, shown."""
    page = Page(world, view)
    token = page.token()
    first = page.send(token)
    assert first.status_code == 302, first.content.decode()
    made = rows()
    for _ in range(2):
        again = page.send(token)
        assert (again.status_code, again["Location"]) == (302, first["Location"])
        assert SAME_AGAIN in page.client.get(again["Location"]).content.decode()
    assert rows() == made


@pytest.mark.parametrize("view", NAMES)
def test_other_words_in_a_used_form_are_kept_and_offered_as_another(
    world, view
) -> None:
    page = Page(world, view)
    token = page.token()
    first = page.send(token)
    made = rows()
    other = page.send(token, **page.form.change)
    shown = other.content.decode()
    assert other.status_code == 422
    assert rows() == made
    assert "Submit as another" in shown and f'href="{first["Location"]}"' in shown
    kept: dict[str, list[str]] = {}
    for name, value in HIDDEN.findall(shown):
        kept.setdefault(name, []).append(unescape(value))
    sent = {**page.form.body, **page.form.change}
    for name, value in sent.items():
        if name not in page.form.files:
            several = value if isinstance(value, list) else [value]
            assert kept[name] == [str(row) for row in several]
    fresh = TOKEN.findall(shown)[-1]
    assert fresh != token
    files = {name: file("r.txt", body) for name, body in page.form.files.items()}
    answer = page.client.post(page.path, kept | files | {"form_token": fresh})
    assert answer.status_code != 500
    if answer.status_code == 302:  # refused by its own rules where one is enough
        assert rows() != made


def test_two_tabs_are_two_forms(world) -> None:
    page = Page(world, "upload")
    one, two = page.token(), page.token()
    before = Evidence.objects.count()
    places = {page.send(one)["Location"], page.send(two)["Location"]}
    assert len(places) == 2
    assert Evidence.objects.count() == before + 2


def test_the_same_words_under_another_token_ask_first(world) -> None:
    """Gone back to without the script: the page is a new one, its words are old."""
    for view in ("request_new", "finding_new", "component_add"):
        page = Page(world, view)
        first = page.send(page.token())
        made = rows()
        again = page.send(page.token())
        shown = again.content.decode()
        assert again.status_code == 409, view
        assert f'href="{first["Location"]}"' in shown
        assert rows() == made
        kept: dict[str, list[str]] = {}
        for name, value in HIDDEN.findall(shown):
            kept.setdefault(name, []).append(unescape(value))
        answer = page.client.post(page.path, kept)
        assert answer.status_code in {302, 409, 422}, view
        assert (answer.status_code == 302) == (rows() != made)
        assert "some minutes ago" not in answer.content.decode()
    # later it is no slip
    later = dt.timedelta(minutes=11)
    IdempotencyKey.objects.update(created_at=F("created_at") - later)
    asked = Page(world, "request_new")
    assert asked.send(asked.token()).status_code == 302


def test_the_same_export_is_made_anew_whenever_it_is_wanted(world) -> None:
    page, before = Page(world, "export_request"), Export.objects.count()
    for _ in range(2):
        assert page.send(page.token()).status_code == 302
    assert Export.objects.count() == before + 2


def test_another_file_in_a_used_form_is_another_submission(world) -> None:
    page = Page(world, "upload")
    token = page.token()
    page.send(token)
    other = page.send(token, files=file("report.txt", b"other bytes"))
    assert other.status_code == 422
    assert "Choose again: report.txt" in other.content.decode()


def keys() -> set[int]:
    """The keys that are remembered: those of the world among them."""
    return set(IdempotencyKey.objects.values_list("pk", flat=True))


def test_the_upload_script_is_led_there_too(world) -> None:
    page, script = Page(world, "upload"), {"X-Upload-Script": "1"}
    token = page.token()
    first = page.send(token, headers=script)
    again = page.send(token, headers=script)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first["Location"] == again["Location"]


def test_a_form_that_was_refused_may_be_mended_and_sent_again(world) -> None:
    page, kept = Page(world, "upload"), keys()
    token = page.token()
    assert page.send(token, performed_on="").status_code == 400
    assert keys() == kept
    assert page.send(token).status_code == 302


@pytest.mark.parametrize("token", ["x" * 201, "☃", "a\tb"])
def test_an_odd_token_is_refused(world, token) -> None:
    page = Page(world, "export_request")
    made = rows()
    assert page.send(token).status_code == 400
    assert rows() == made


def test_a_token_of_another_form_is_refused(world) -> None:
    page, other = Page(world, "upload"), Page(world, "revision_new")
    token = page.token()
    assert page.send(token).status_code == 302
    assert other.send(token).status_code == 422


def test_without_a_token_it_is_taken_as_it_comes(world) -> None:
    """A page that was shown before tokens came still works."""
    page, kept = Page(world, "upload"), keys()
    assert page.send("").status_code == 302
    assert keys() == kept


def test_after_its_key_is_forgotten_a_form_is_a_new_one(world) -> None:
    page = Page(world, "export_request")
    token = page.token()
    page.send(token)
    made = rows()
    kept = IdempotencyKey.objects.latest("created_at")
    forgotten = IdempotencyKey.objects.count()
    later = kept.created_at + dt.timedelta(days=31)
    assert forget_old_keys(later) == forgotten
    assert page.send(token).status_code == 302
    assert rows() != made


def test_an_adopted_preview_leads_to_its_document(world) -> None:
    client = Client()
    sign_in_just_now(client, world.house.olivia)
    sent = {"title": "Their summary", "reference": "R-9", "starts_on": TODAY}
    preview = client.post(
        "/systems/shop/provider/upload/", sent | {"file": file("said.csv", STATEMENTS)}
    )["Location"]
    first = client.post(f"{preview}adopt/")
    made = rows()
    again = client.post(f"{preview}adopt/")
    assert first["Location"] == again["Location"] != "/systems/shop/provider/"
    # gone back to the preview itself
    assert client.get(preview)["Location"] == first["Location"]
    assert rows() == made


def test_a_key_of_the_api_is_no_preview(world) -> None:
    """A preview that is gone leads to nothing that another request made."""
    key = str(uuid.uuid4())
    client = Client(raise_request_exception=False)
    sign_in_just_now(client, world.house.olivia)
    notice = client.post(
        "/api/v1/exports/",
        {"system": "shop"},
        content_type="application/json",
        headers={"Idempotency-Key": key},
    )
    assert notice.status_code in {201, 202}, notice.content
    assert IdempotencyKey.objects.filter(key=key).exists()
    gone = client.get(reverse("evidence:provider_preview", args=["shop", key]))
    assert (gone.status_code, gone["Location"]) == (302, "/systems/shop/provider/")
