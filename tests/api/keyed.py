"""Requests under an Idempotency-Key: one of each route that makes something."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.apps import apps
from django.test import Client
from django.urls import reverse

from controls.models import AuditEvent, Engagement
from evidence.models import RequirementControl
from tests import one_day
from tests.access import world as worlds
from tests.access.walking import doors
from tests.access.world import World
from tests.evidence.house import file
from tests.factories import make_system
from tests.sign_ins import sign_in_just_now

TODAY = str(one_day.TODAY)
YESTERDAY = str(one_day.TODAY - dt.timedelta(days=1))
WHO = {
    "population-list": "alice", "request-answer": "alice",
    "sample-deviations": "alice", "evidence-list": "alice", "evidence-attach": "alice",
    "evidence-revise": "alice", "artifact-version-reliance": "rita",
    "bulk-upload-confirm": "alice", "ask-evidence": "alice",
    "api_acknowledgements": "alice", "audit-request-list-confirm": "audrey",
    "mark-list": "audrey", "tested-item-list": "audrey",
}  # fmt: skip


def built(settings: Any, tmp_path: Any) -> World:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    settings.ARTIFACT_SYNC_ROLE = "arn:aws:iam::111122223333:role/reads-artifact"
    settings.ARTIFACT_SYNC_EXTERNAL_ID = "an-external-id"
    return worlds.build()


def monthly(ref_id: str) -> RequirementControl:
    """What is asked first of a control by period, beside what is asked per event."""
    of_control = RequirementControl.objects.filter(
        system__slug="shop", implementation__control__ref_id=ref_id
    )
    return of_control.exclude(cadence="per-event").order_by("pk")[0]


def bodies() -> dict[str, Any]:
    """What each maker is sent, beside what the table of access sends."""
    days = {"performed_on": TODAY, "period_start": TODAY, "period_end": TODAY}
    return {
        "component-list": {"service": "rds", "used_from": TODAY},
        "evidence-attach": {"requirement": str(monthly("si-2").uuid)},
        "evidence-revise": days
        | {"kind": "addition", "reason": "More", "files": [file("more.txt", b"more")]},
        "artifact-versions": {
            "label": "2026", "starts": "2025-10-01", "ends": "2026-03-31",
            "services": ["ec2"], "regions": ["*"],
        },
        "artifact-citations": {"system": "shop", "control_ids": ["si-2"]},
        "artifact-version-letters": {"issued_on": TODAY, "ends": YESTERDAY},
        "artifact-version-remarks": {
            "kind": "exception", "title": "CC6.1-1", "control_ids": ["pe-3"],
        },
        "coverage-list": {"lines": [{"control": "PE-3"}]},
        "coverage-propose": {"families": ["pe"]},
        "provider-document-list": {
            "title": "Other", "reference": "R-2", "starts_on": TODAY,
            "file": file(
                "said.csv",
                b"Control ID,Responsibility,Description\nPE-3,Inherited,Guards.\n",
            ),
        },
    }  # fmt: skip


def over(world: World) -> Engagement:
    """An audit whose window is over, so that its closing may be asked for."""
    last = one_day.TODAY - dt.timedelta(days=1)
    return Engagement.objects.create(
        system=world.house.system,
        title="Over",
        kind="type2",
        firm="Audit & Sons",
        window_start=last - dt.timedelta(days=90),
        window_end=last,
    )


class Asking:
    """One maker, posted to by who may, as a form where there are files."""

    def __init__(self, world: World, view: str) -> None:
        (door,) = {d for d in doors() if d.view == view and "POST" in d.methods}
        self.path = reverse(view, kwargs=world.parts(view, set(door.parts)))
        self.body = world.bodies.get(f"POST {view}", {}) | bodies().get(view, {})
        self.client = Client(raise_request_exception=False)
        sign_in_just_now(self.client, world.house.people[WHO.get(view, "olivia")])
        self.headers = {}
        if view == "request-answer":
            self.headers["If-Match"] = world.tag(view)
        if view == "engagement-add-system":
            house = world.house
            small = {"baseline": house.system.baseline, "services": ("s3",)}
            make_system(house.olivia, slug="depot", **small)
            self.body = {"system": "depot"}
            self.headers["If-Match"] = "*"
        if view == "bulk-upload-confirm":
            self.body = {"token": planned(self.client)}
        if view == "audit-request-list-confirm":
            self.body = {"token": listed(self.client, self.path)}
        if view == "crosswalk-list":
            self.body = {"token": numbered(self.client, self.path)}
        if view == "finding-import-list":
            self.body = {"token": findings_shown(self.client, self.path)}
        if view == "implementation-status-confirm":
            self.body = {"token": previewed(self.client)}
        if view == "api_services_confirm":
            self.body = {"token": services_shown(self.client), "reason": "Because."}
        if view == "closing-list":
            self.body = {"engagement": str(over(world).uuid)}
        if view == "listed-report-place":
            self.body = {"artifact": str(world.named["artifact"]["uuid"])}
        if view == "api_account_uses_accept":
            shown = self.client.post(
                "/api/v1/systems/shop/account-uses/", {"text": "sqs"}
            )
            token = shown.json()["token"]
            self.body = {"token": token, "from_day": TODAY, "add": ["sqs"]}
        if view in ("coverage-import-list", "user-control-import-list"):
            self.body = {"token": list_shown(self.client, self.path)}
        if view == "artifact-version-scope":
            shown = self.client.post(f"{self.path[:-1]}-preview/", {"text": "s3"})
            self.body = {"token": shown.json()["token"]}

    def answer(self, key: str | None, **more: Any) -> Any:
        headers = self.headers | ({"Idempotency-Key": key} if key is not None else {})
        body = self.body | more
        if "files" not in body and "file" not in body:
            kind = {"content_type": "application/json"}
            return self.client.post(self.path, body, headers=headers, **kind)
        for each in (*body.get("files", ()), body.get("file")):
            if each is not None:
                each.seek(0)
        return self.client.post(self.path, body, headers=headers)


def services_shown(client: Client) -> str:
    """The token of a preview of Shop without its servers."""
    place = "/api/v1/systems/shop/what-if/preview/"
    shown = client.post(place, {"end": ["ec2"]}, "application/json")
    token: str = shown.json()["token"]
    return token


def findings_shown(client: Client, path: str) -> str:
    """The token of the preview of a file of findings."""
    content = b"id,account,status,updated at,control\n"
    content += b"k-1,111122223333,FAIL,2026-11-20T10:00Z,pe-3\n"
    sent = {"file": file("findings.csv", content), "accounts": "111122223333"}
    token: str = client.post(f"{path}preview/", sent).json()["token"]
    return token


def list_shown(client: Client, path: str) -> str:
    """The token of the preview of a list about a report."""
    content = b"Control,Number,Controls\nPE-6,U-9,PE-6\n"
    sent = {"file": file("list.csv", content)}
    answer = client.post(path.replace("/import/", "/preview/"), sent)
    token: str = answer.json()["token"]
    return token


def numbered(client: Client, path: str) -> str:
    table = file("soc2.csv", b"Control,Number\nPE-3,CC6.4\n")
    sent = {"title": "Other", "starts_on": TODAY, "file": table}
    token: str = client.post(f"{path}preview/", sent).json()["token"]
    return token


def planned(client: Client) -> str:
    listed = file("list.csv", f"file,control,performed_on\na.csv,cm-8,{TODAY}".encode())
    sent = {"list": listed, "files": [file("a.csv", b"a,b\n")]}
    token: str = client.post("/api/v1/systems/shop/uploads/plan/", sent).json()["token"]
    return token


def listed(client: Client, path: str) -> str:
    content = b"Number,Request,Controls,Team\nR-1,Show,CM-8,Platform\n"
    sent = {"file": file("list.csv", content), "due_on": TODAY}
    answer = client.post(path.replace("/confirm/", "/plan/"), sent)
    token: str = answer.json()["token"]
    return token


def previewed(client: Client) -> str:
    said = {"implementation_status": "planned", "control_ids": ["cm-8"]}
    path = "/api/v1/systems/shop/implementation-status/preview/"
    token: str = client.post(path, said, "application/json").json()["token"]
    return token


def rows() -> dict[str, int]:
    """How many rows each table of ours holds."""
    models = [
        m
        for app in ("controls", "evidence")
        for m in apps.get_app_config(app).get_models()
    ]
    counted = {model._meta.label: model._base_manager.count() for model in models}
    # that somebody was refused is on record (AU-01): nothing was made by it
    refusals = AuditEvent.objects.filter(verb="access.refused").count()
    counted[AuditEvent._meta.label] -= refusals
    return counted


def as_alice(world: World) -> Asking:
    return Asking(world, "evidence-list")
