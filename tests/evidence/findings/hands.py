"""What stories of findings share: a proven control, and steps over the API."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.test import Client
from django.urls import reverse

from controls.models import System, User
from evidence.findings.dispositions import decide_disposition, request_disposition
from evidence.findings.recording import record_finding, record_observation
from evidence.models import Disposition, EvidenceLink, FailingObservation, Finding
from evidence.models.observations import MAX_TEXT
from tests import factories
from tests.evidence.scenarios.stage import ask_only, bring
from tests.one_day import TODAY

D = dt.date
DAY = dt.timedelta(days=1)
OCTOBER = (D(2026, 10, 1), D(2026, 10, 31))
SEEN = D(2026, 11, 16)
FOUND = D(2026, 11, 2)
JSON = "application/json"
SAID = {"source": "Access test 7", "text": "Two leavers could still sign in."}
TOO_LONG = "x" * (MAX_TEXT + 1)


def proven(system: System, ref_id: str, *, by: User, reviewer: User) -> EvidenceLink:
    """AC-12 and its like: a control of ours with October's report accepted."""
    asked = ask_only(system, ref_id, f"Report {ref_id}", cadence="monthly")
    link = bring(asked, about=OCTOBER, performed_on=D(2026, 11, 2), by=by)
    link.accept(by=reviewer)
    return link


def mended(system: System, ref_id: str, *, by: User, on: dt.date = TODAY) -> Any:
    """Evidence of a mended control, which waits for review."""
    asked = factories.requirement(system, ref_id)
    return bring(asked, about=(on.replace(day=1), on), performed_on=on, by=by)


def observed(system: System, ref_id: str, by: User, **said: Any) -> FailingObservation:
    """Somebody saw it fail."""
    control = factories.implementation(system, ref_id)
    return record_observation(control, **{"observed_on": SEEN, **SAID, **said}, by=by)


def found(system: System, ref_id: str, by: User, **said: Any) -> Finding:
    """Somebody wrote a finding."""
    body = {"title": "Leavers keep access", "severity": "high", "found_on": FOUND}
    control = factories.implementation(system, ref_id)
    return record_finding(control, **{**body, **SAID, **said}, by=by)


def asked_for(subject: Any, kind: str, by: User, **said: Any) -> Disposition:
    """Somebody asks for a disposition."""
    return request_disposition(
        subject, **{"kind": kind, "text": "As the ticket says.", **said}, by=by
    )


def decided(disposition: Disposition, by: User, decision: str = "accept") -> None:
    """A second person decides."""
    decide_disposition(
        disposition,
        decision=decision,
        reason="" if decision == "accept" else "Not so.",
        by=by,
    )


def post(browser: Client, view: str, body: dict[str, Any], *args: Any) -> Any:
    """A POST of the API."""
    return browser.post(reverse(view, args=args), body, JSON)
