"""What scenarios through models and API share: one ask of one control, and answers."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.test import Client
from django.urls import reverse

from controls.models import System, User
from evidence.models import EvidenceLink, RequirementControl
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests import factories


def ask_only(
    system: System, ref_id: str, title: str, **terms: Any
) -> RequirementControl:
    """Ask this of a control from the system's first day on, and nothing else."""
    control = factories.implementation(system, ref_id)
    RequirementControl.objects.filter(implementation=control).delete()
    said = {"operates_from": factories.START, "owner_team": control.owner_team}
    return factories.ask_for(control, title, **said | terms)


def bring(
    asked: RequirementControl,
    *,
    about: tuple[dt.date, dt.date],
    performed_on: dt.date,
    by: User,
    uploaded_on: dt.date | None = None,
) -> EvidenceLink:
    """Submit evidence performed on a day about a calendar period."""
    said = Submission(
        title=f"{asked.title} to {about[1]}",
        performed_on=performed_on,
        period_start=about[0],
        period_end=about[1],
        collected_on=uploaded_on or performed_on,
    )
    upload = store("report.txt", [f"{asked.title} to {about[1]}, long enough".encode()])
    return submit(
        said, [upload], requirement=asked, by=by, today=uploaded_on or performed_on
    )


def told(
    browser: Client,
    system: System,
    ref_id: str,
    on: dt.date,
    known_at: dt.date | None = None,
) -> dict[str, Any]:
    """The API's answer about a control on a day; `known_at` means that day's end."""
    url = reverse("system-control", args=[system.slug, ref_id])
    clocks = {"on": str(on)} | ({"known_at": str(known_at)} if known_at else {})
    answer = browser.get(url, clocks)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def codes(answer: dict[str, Any]) -> set[str]:
    """The codes of an answer's reasons."""
    return {reason["code"] for reason in answer["reasons"]}
