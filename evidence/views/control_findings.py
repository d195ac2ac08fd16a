"""What was found of one control, and what the company responds, for its page."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from controls.access import may_describe
from controls.models import Actor, ControlImplementation
from evidence.findings.responses import answered
from evidence.findings.standing import (
    finding_standings,
    known,
    observation_standings,
)
from evidence.findings.who_may import may_record
from evidence.models import FailingObservation, Finding
from evidence.status.clocks import Clocks
from evidence.status.control_status import ControlStatus

SHOWN = 50  # observations of a control on its page


def findings_of_control(
    user: Actor,
    implementation: ControlImplementation,
    clocks: Clocks,
    holding: Set[str],
) -> dict[str, Any]:
    """Findings and observations up to the day asked about, newest first, and whether
    the person may record more; `holding` are `lists_holding`."""
    moment = clocks.moment
    may_record_more = clocks.now and may_record(implementation.system, user)
    if not holding & {"findings", "observations"}:
        return {
            "findings": [],
            "observations": [],
            "more_observations": 0,
            "may_record": may_record_more,
        }
    found_by_then = Finding.objects.filter(
        implementation=implementation, found_on__lte=moment.on
    )
    observed = FailingObservation.objects.filter(
        implementation=implementation, observed_on__lte=moment.on
    )
    findings = finding_standings(known(found_by_then, moment).for_listing(), moment)
    observations = observation_standings(known(observed, moment).for_listing(), moment)
    standing = [row for row in observations if row.state != "finding"]
    standing.sort(key=lambda row: row.over)  # stable: the oldest that are open first
    return {
        "findings": sorted(findings, key=lambda row: row.finding.found_on)[::-1],
        "observations": standing[:SHOWN],
        "more_observations": max(0, len(standing) - SHOWN),
        "may_record": may_record_more,
    }


def responses_of_control(
    user: Actor,
    implementation: ControlImplementation,
    answer: ControlStatus,
    clocks: Clocks,
    names: Mapping[str, str],
) -> dict[str, Any]:
    """What an auditor will ask about in the window, with the responses, and whether
    the person may respond; `names` are `display_names`."""
    if answer.period is None:
        return {"items": [], "answerable": set()}
    rows = answered(
        {implementation.pk: implementation},
        {implementation.pk: answer.period},
        clocks.moment,
        names,
    )
    may_respond = clocks.now and may_describe(implementation, user)
    return {"items": rows, "answerable": {implementation.pk} if may_respond else set()}
