"""What each request of the walk says: enough to get as far as who asks it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from evidence.systems.acknowledgements import duties_today
from tests.evidence import house as houses
from tests.one_day import BEGINS, TODAY

if TYPE_CHECKING:
    from controls.models import System
    from tests.access.world import World

DAY = dt.timedelta(days=1)


def platforms_duties(system: System) -> str:
    """The digest of what team Platform has to do today."""
    of_teams = {row.team.slug: row.digest for row in duties_today(system)}
    return of_teams["platform"]


def request_list() -> Any:
    """An auditor's list with one request."""
    return houses.file("list.csv", b"Number,Request,Controls\nR-1,Show,CM-8\n")


def bodies_of(world: World) -> dict[str, Any]:
    """What each request says, by method and view."""
    today = str(TODAY)
    later = str(TODAY + 20 * DAY)
    ahead = str(TODAY + 210 * DAY)
    here = {"system": "shop"}
    why = {"reason": "Because."}
    duties = platforms_duties(world.house.system)
    of_control = here | {"control_id": "si-2"}
    decide = why | {"decision": "reject"}
    asked = {"title": "New", "cadence": "monthly", "purpose": "operation",
             "operates_from": today, "grace_days": 5}  # fmt: skip
    observation = {"observed_on": today, "source": "Test", "text": "Failed."}
    finding = {"title": "Gap", "severity": "low", "found_on": today,
               "source": "Test", "text": "Failed."}  # fmt: skip
    response = {"cause": "Ill.", "effect": "None.", "measures": "Two persons now.",
                "owner": "Platform"}  # fmt: skip
    copy = {"recipient": "Vera", "firm": "Customer AG", "reason": "Vendor review",
            "agreement": "NDA"}  # fmt: skip
    days = {"performed_on": today, "period_start": today, "period_end": today}
    pages = {
        "saved_filter_rename": {"name": "Another", "version": 1},
        "control_describe": {"implementation_status": "planned", "version": 1},
        "request_judge": {"decision": "accept", "version": 1},
        "population_judge": decide,
        "sample_draw": {"method": "all"} | why,
        "deviation_new": {"note": "Nobody approved."},
        "reject": why,
        "decide": {
            f"version-{world.named['accept']['uuid']}": 1,
            f"accept-{world.named['accept']['uuid']}": "on",
        },
        "removal_decide": {"decision": "refuse"},
        "export_request": here | {"on": today},
        "request_answer": {
            "evidence": [world.named["evidence"]["uuid"]], "version": 1,
        },
        "review_several": {f"decision-{world.named['accept']['uuid']}": "accept"},
        "withdraw": why,
        "file_clear": why,
        "report_clear": why,
        "report_remove": why,
        "report_removal_decide": {"decision": "refuse"},
        "disclosure_new": copy | {"given_on": today},
        "letter_decide": decide,
        "remark_decide": decide,
        "disposition_decide": decide,
        "response_decide": decide,
        "response_new": response,
        "observation_new": observation,
        "finding_new": finding,
        "observation_dispose": {"kind": "explained", "text": "Not so."},
        "finding_dispose": {"kind": "false-positive", "text": "Not so."},
        "remark_answer": {"choice": "not-needed", "text": "Nobody."},
        "citations_decide": decide | {"citations": world.late_citation},
        "removal_new": why,
        "retention": why | {"years": 10},
        "hold_new": why,
        "hold_lift": why,
        "component_days": why | {"never": "on", "version": 1},
        "duties_acknowledge": {"team": "platform", "duties": duties},
        "people_invite": {
            "address": "dan@example.test", "role": "reader", "starts_on": today,
        },
        "engagement_new": {
            "title": "SOC 2 2026", "kind": "type2", "firm": "Audit & Sons",
            "window_start": today, "window_end": later,
        },
        "engagement_renew": {
            "people": world.house.audrey.uuid, "version": 1,
            "last_day": str(TODAY + 60 * DAY),
        },
        "engagement_end": {"version": 1},
        "engagement_take_out": why | {"version": 1},
        "engagement_scope": {"which": "baseline", "version": 1},
        "request_list": {"file": request_list(), "due_on": later},
        "request_list_confirm": {"token": "none"},
        "closing_decide": {"decision": "confirm", "version": 1},
        "closing_withdraw": {"version": 1},
        "kept_again": {"given_up_at": BEGINS.isoformat()},
        "marks_save": {"state-cm-8": "satisfied", "seen-cm-8": "not_started:0"},
        "mark": {"state": "satisfied", "version": 0},
        "results_save": {
            f"result-{world.named['deviation_new']['uuid']}": "passed",
            f"seen-{world.named['deviation_new']['uuid']}": "0||",
        },
        "role_days": {"version": 1, "last_day": later},
        "role_end": {"version": 1},
        "system_terms": why | {
            "regime": "soc2", "impact_level": "low", "partition": "aws",
            "currency_days": "60", "letter_months": "3",
            "from_day": today, "version": "1",
        },
        "window_days": why | {
            "window_start": today, "window_end": later, "version": "1",
        },
    }  # fmt: skip
    bodies = {f"POST evidence:{view}": said for view, said in pages.items()}
    api = {
        "POST system-list": {
            "name": "Next", "slug": "next", "regime": "soc2", "baseline": "four",
            "impact_level": "moderate", "window_start": today, "window_end": later,
            "components": [{"service": "s3", "used_from": today}],
        },
        "POST api_acknowledgements": {"team": "platform", "digest": duties},
        "POST request-list": here | {
            "control_ids": ["cm-8"], "title": "Show", "team": "platform",
            "due_on": later,
        },
        "POST audit-request-list-plan": {"file": request_list(), "due_on": later},
        "POST audit-request-list-confirm": {"token": "none"},
        "POST request-answer": {"evidence": [str(world.named["evidence"]["uuid"])]},
        "POST request-send-back": why,
        "POST engagement-list": {
            "systems": ["shop"], "title": "SOC 2 2027", "kind": "type2",
            "firm": "Audit & Sons", "window_start": today, "window_end": later,
        },
        "PATCH engagement-detail": {"firm": "Audit & Daughters"},
        "POST engagement-renew": {
            "people": ["audrey@example.test"], "last_day": str(TODAY + 60 * DAY),
        },
        "PUT engagement-scope": {"controls": None},
        "POST engagement-take-out": why,
        "POST mark-list": {
            "engagement": str(world.named["mark"]["uuid"]), "control_id": "CM-8",
            "state": "satisfied",
        },
        "PATCH mark-detail": {"state": "satisfied"},
        "POST tested-item-list": {
            "engagement": str(world.named["mark"]["uuid"]), "result": "passed",
            "item": str(world.named["deviation_new"]["uuid"]),
        },
        "PATCH tested-item-detail": {"result": "unclear"},
        "POST closing-list": {"engagement": str(world.named["closing"]["uuid"])},
        "POST closing-refuse": why,
        "POST export-make-again": {"given_up_at": BEGINS.isoformat()},
        "PATCH system-detail": {"name": "Renamed"},
        "PATCH system-control": {"implementation_status": "planned"},
        "POST ask-list": here | {
            "title": "Third look", "cadence": "monthly", "owner_team": "platform",
            "from_day": ahead,
            "controls": [
                {"requirement": str(world.named[f"to join {n}"]["uuid"]),
                 "what_it_shows": "Its part"}
                for n in range(2)
            ],
        },
        "POST ask-split": {
            "requirements": [str(world.named["row of an ask"]["uuid"])],
            "from_day": ahead,
        },
        "POST ask-controls": {
            "control_id": "pe-3", "what_it_shows": "Its part", "from_day": ahead,
        },
        "POST ask-evidence": {"file": houses.file()},
        "POST requirement-list": of_control | asked,
        "POST requirement-apply-templates": here,
        "POST requirement-preview-templates": here,
        "PUT requirement-detail": asked | {
            "operates_from": str(world.house.system.window_start),
        },
        "POST requirement-retire": why | {"until": later},
        "POST population-list": {
            "requirement": str(world.named["populations"]["uuid"]),
            "starts": today, "ends": today, "source": "T", "query": "q",
            "completeness": "c", "none_happened": True,
        },
        "POST population-draw": {"method": "all"} | why,
        "POST population-reject": why,
        "POST population-withdraw": why,
        "POST sample-deviations": {
            "item": str(world.named["deviation_new"]["uuid"]), "note": "n",
        },
        "POST evidence-list": days | {
            "requirement": str(world.named["upload"]["uuid"]), "title": "t",
            "files": [houses.file()], "collected_on": today,
        },
        "POST evidence-reject": why,
        "POST evidence-withdraw": why,
        "POST evidence-decide": [
            {"link": str(world.named["accept"]["uuid"]), "accept": True}
        ],
        "POST report-file-list": {
            "report": str(world.named["report_hold"]["uuid"]), "agreement": "NDA",
            "confirmed": True, "file": houses.file("more.txt", b"More of it"),
        },
        "POST report-file-clear": why,
        "POST report-file-remove": why,
        "POST report-fetch-list": {"listed": str(world.named["to fetch"]["uuid"])},
        "POST disclosure-list": copy | {
            "report": str(world.named["report_hold"]["uuid"]), "given_on": today,
        },
        "POST file-clear": why,
        "POST file-remove": why,
        "POST artifact-version-reliance": here | {
            "conclusion": "rely", "scope_note": "s", "period_note": "p",
        },
        "POST letter-decisions": here | decide,
        "POST remark-answers": here | {"choice": "not-needed", "text": "Nobody."},
        "POST remark-answer-decide": decide,
        "POST disposition-decide": decide,
        "POST response-decide": decide,
        "POST api_responses": response | {
            "control_id": "cm-8", "item": world.named["response_new"]["key"],
        },
        "POST observation-list": of_control | observation,
        "POST finding-list": of_control | finding,
        "POST observation-dispositions": {"kind": "explained", "text": "Not so."},
        "POST finding-dispositions": {"kind": "false-positive", "text": "Not so."},
        "POST citation-decisions": here | decide | {
            "citations": [world.late_citation],
        },
        "POST override-list": of_control | why | {
            "responsibility": "customer", "starts_on": today, "ends_on": later,
        },
        "POST not-applicable-list": of_control | {
            "justification": "None here.", "review_by": later,
        },
        "POST invitation-list": {"address": "dan@example.test", "role": "reader"},
        "PATCH person-detail": {"last_day": later},
        "POST person-hand-over": {"to": "rita@example.test"},
        "POST person-hand-over-preview": {"to": "rita@example.test"},
        "POST component-days": why,
        "POST system-terms-list": why | {"currency_days": 60},
        "POST api_retention": why | {"years": 10},
        "POST legal-hold-list": why,
        "POST legal-hold-lift": why,
        "POST alternative-list": here | {
            "control_id": "cm-8", "constraint": "c", "objective": "o",
            "residual_risk": "r", "starts_on": today, "review_by": later,
            "requirements": [str(world.named["upload"]["uuid"])],
        },
        "POST alternative-end": why,
        "POST implementation-status-preview": {"implementation_status": "planned"},
        "POST implementation-status-confirm": {"token": "none"},
        "POST api_services_preview": {"end": ["ec2"]},
        "POST api_services_confirm": why | {"token": "none"},
        "POST implementation-status-earlier": why | {
            "control_ids": ["cm-8"], "implementation_status": "partial",
            "first_day": str(TODAY - DAY),
        },
        "POST export-list": here,
        "POST saved-filter-list": {"name": "Mine", "filters": {"family": "cm"}},
        "PATCH saved-filter-detail": {"name": "Another"},
        "POST token-list": {"name": "mine"},
        "POST provider-document-end": why | {"ended_on": today},
        "POST artifact-list": {
            "title": "New", "series": "new", "kind": "period", "scheme": "soc2",
        },
    }  # fmt: skip
    return bodies | api
