"""What is to be made of an observation or a finding: asked for, then decided.

An officer explains an observation; the owner team or an officer asks to close a finding
with evidence, or for a deviation. Nothing counts before a second person has accepted it
(R28, R32, R36), and a closing counts from the day of that decision, never before.
"""

from __future__ import annotations

from django.db import transaction

from controls.approvals import known_today
from controls.errors import Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent
from controls.models.audit import about
from evidence.findings.recording import lock_control
from evidence.findings.standing import (
    FindingStanding,
    ObservationStanding,
    decided,
    finding_standings,
    observation_standings,
)
from evidence.findings.who_may import require_asker, require_decider
from evidence.models import (
    Disposition,
    DispositionDecision,
    DispositionKind,
    EvidenceLink,
    FailingObservation,
    Finding,
    LinkState,
    Severity,
)
from evidence.models.findings import DEVIATIONS
from evidence.models.reviews import ReviewDecision
from evidence.status.rows import Moment

OF_OBSERVATIONS = (DispositionKind.EXPLAINED,)
OF_FINDINGS = (DispositionKind.CLOSURE, *DEVIATIONS)
NOT_PROOF_YET = (
    "The evidence that it names is not accepted: review that first, or reject this."
)
OFFICIAL_MISSING = (
    "Say which authorizing official agreed, when, and where that is kept."
)
Subject = Finding | FailingObservation
Standing = FindingStanding | ObservationStanding


def kinds_for(subject: Subject) -> tuple[DispositionKind, ...]:
    """What may be asked for of it."""
    return OF_FINDINGS if isinstance(subject, Finding) else OF_OBSERVATIONS


def standing_of(subject: Subject, moment: Moment) -> Standing:
    """Where it stands."""
    if isinstance(subject, Finding):
        return finding_standings([subject], moment)[0]
    return observation_standings([subject], moment)[0]


def closing_links(finding: Finding) -> list[EvidenceLink]:
    """Evidence that may close it: of its control, waiting or accepted, performed on the
    day it was found or later; newest first."""
    links = EvidenceLink.objects.filter(
        implementation=finding.implementation_id,
        half="customer",
        state__in=[LinkState.SUBMITTED, LinkState.ACCEPTED],
        revision__performed_on__gte=finding.found_on,
    )
    return list(
        links.select_related("revision__evidence", "requirement").order_by(
            "-revision__performed_on", "-pk"
        )
    )


@transaction.atomic
def request_disposition(
    subject: Subject,
    *,
    kind: str,
    text: str,
    severity: str = "",
    link: EvidenceLink | None = None,
    by: Actor,
) -> Disposition:
    """Ask for a disposition; a second person decides.

    `link` is the evidence that closes a finding, `severity` what a risk adjustment asks
    for. Raises NotPermitted, TransitionNotAllowed where it is over or another one
    waits, Refused.
    """
    control = lock_control(subject.implementation)
    require_asker(subject, by)
    system, today = control.system, known_today(control.system)
    standing = standing_of(subject, Moment(today))
    _refuse_over(standing)
    if standing.waiting:
        raise TransitionNotAllowed(
            "Another request about this waits for a second person already."
        )
    if kind not in kinds_for(subject):
        raise Refused({"kind": "Choose what is to be made of it."})
    if not text.strip():
        raise Refused({"text": "Say why, for whoever decides on it."})
    finding = subject if isinstance(subject, Finding) else None
    disposition = Disposition(
        system=system,
        finding=finding,
        observation=subject if isinstance(subject, FailingObservation) else None,
        requested_by=by,
        kind=kind,
        text=text.strip(),
        severity=_other_severity(standing, kind, severity),
        link=_closing_link(finding, kind, link),
        requested_on=today,
        requester_name=str(by),
    )
    disposition.full_clean()
    disposition.save(force_insert=True)
    AuditEvent.objects.append(
        about(
            disposition,
            "disposition.requested",
            by=by,
            kind=kind,
            of=str(subject.uuid),
            severity=disposition.severity,
            link=str(disposition.link.uuid) if disposition.link else "",
        )
    )
    return disposition


def _refuse_over(standing: Standing) -> None:
    sentences = {
        "closed": "This finding is closed.",
        "false-positive": "This was decided to be a false positive.",
        "explained": "This observation is explained.",
        "finding": "A finding was written from it: what is to be done stands there.",
    }
    if standing.over:
        raise TransitionNotAllowed(sentences[standing.state])


def _other_severity(standing: Standing, kind: str, severity: str) -> str:
    if kind != DispositionKind.RISK_ADJUSTMENT:
        return ""
    if severity not in Severity.values:
        raise Refused({"severity": "Name the severity that is asked for."})
    if isinstance(standing, FindingStanding) and severity == standing.severity:
        raise Refused({"severity": "The finding has that severity already."})
    return severity


def _closing_link(
    finding: Finding | None, kind: str, link: EvidenceLink | None
) -> EvidenceLink | None:
    if kind != DispositionKind.CLOSURE or finding is None:
        return None
    if link is None or link not in closing_links(finding):
        raise Refused(
            {
                "link": "Name evidence of this control that shows it mended: performed"
                f" on {finding.found_on} or later, and submitted or accepted."
            }
        )
    return link


@transaction.atomic
def decide_disposition(
    disposition: Disposition,
    *,
    decision: str,
    reason: str = "",
    official: str = "",
    by: Actor,
) -> DispositionDecision:
    """Accept or reject it, as known from now on.

    `official` is asked for where a deviation is accepted in a FedRAMP system. Raises
    NotPermitted, TransitionNotAllowed where it is decided, its subject is over, or the
    evidence that closes it is not accepted; Refused.
    """
    control = lock_control(disposition.implementation)
    stored = Disposition.objects.select_related(
        "finding__observation", "observation", "link__revision__evidence", "system"
    ).get(pk=disposition.pk)
    require_decider(stored, by=by)
    if DispositionDecision.objects.filter(disposition=stored).exists():
        raise TransitionNotAllowed("This is decided already.")
    today = known_today(control.system)
    _refuse_over(standing_of(stored.subject, Moment(today)))
    if decision == ReviewDecision.REJECT and not reason.strip():
        raise Refused({"reason": "A rejection says why."})
    if decision == ReviewDecision.ACCEPT:
        _require_proof(stored)
        if stored.asks_official and not official.strip():
            raise Refused({"official": OFFICIAL_MISSING})
    decided_now = DispositionDecision(
        disposition=stored,
        system=control.system,
        reviewer=by,
        requested_by_id=stored.requested_by_id,
        recorded_by_id=stored.subject.recorded_by_id,
        decision=decision,
        reason=reason.strip(),
        official=official.strip(),
        decided_on=today,
        reviewer_name=str(by),
    )
    decided_now.full_clean()
    decided_now.save(force_insert=True)
    AuditEvent.objects.append(
        about(
            decided_now,
            "disposition.decided",
            by=by,
            decision=decision,
            kind=stored.kind,
            disposition=str(stored.uuid),
            of=str(stored.subject.uuid),
            official=decided_now.official,
        )
    )
    return decided_now


def _require_proof(disposition: Disposition) -> None:
    """The evidence that closes a finding is locked: nobody withdraws it meanwhile."""
    if disposition.link is None:
        return
    rows = EvidenceLink.objects.select_for_update(of=("self",))
    if rows.get(pk=disposition.link.pk).state != LinkState.ACCEPTED:
        raise TransitionNotAllowed(NOT_PROOF_YET)


__all__ = [
    "closing_links",
    "decide_disposition",
    "decided",
    "kinds_for",
    "request_disposition",
    "standing_of",
]
