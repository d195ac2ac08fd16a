"""Who may open a file, clear a flagged one, ask for its removal and decide that.

`may_...` answers, `require_...` raises NotPermitted; pages, the API, lists and notices
ask the same functions. The list of removals is `SpillRemoval.objects.to_decide`.
"""

from __future__ import annotations

from controls.access import (
    is_officer,
    may_decide,
    require_officer,
    require_second_officer,
)
from controls.errors import NotPermitted
from controls.models import Actor, Role
from evidence.models import (
    EvidenceFile,
    EvidenceRevision,
    Population,
    RequestAnswer,
    SpillRemoval,
)
from evidence.models.evidence import Sensitivity
from evidence.models.revisions import MAX_COMMON_BYTES

RESTRICTED = (
    "This evidence is restricted: its team, reviewers and officers open its files, and"
    " auditors whose request it answers. Ask an officer of the system."
)


def may_open(file: EvidenceFile, by: Actor) -> bool:
    """Whether `by`, who sees the evidence, may open its bytes (AC-06).

    Restricted evidence is opened by contributors of its team, reviewers and officers;
    by an auditor once this revision answers a request of the auditor's engagement.
    """
    evidence = file.revision.evidence
    if evidence.sensitivity != Sensitivity.RESTRICTED:
        return True
    if is_officer(by, evidence.system):
        return True
    roles = by.memberships.active().filter(system=evidence.system_id)
    if roles.filter(role=Role.REVIEWER).exists():
        return True
    if roles.filter(role=Role.CONTRIBUTOR, team=evidence.team_id).exists():
        return True
    engagements = roles.filter(role=Role.AUDITOR).values("engagement")
    released = RequestAnswer.objects.filter(
        revision=file.revision_id, request__engagement__in=engagements
    )
    return bool(released.exists())


def require_opener(file: EvidenceFile, by: Actor) -> None:
    """Raise NotPermitted unless `by` may open the file."""
    if not may_open(file, by):
        raise NotPermitted(RESTRICTED)


def may_clear(file: EvidenceFile, by: Actor) -> bool:
    """Whether `by` is an officer who had no hand in the file (R32)."""
    return is_officer(by, file.revision.evidence.system) and not _brought(file, by)


def require_clearer(file: EvidenceFile, by: Actor) -> None:
    """Raise NotPermitted unless `by` may clear a flagged file."""
    require_officer(file.revision.evidence.system, by)
    if _brought(file, by):
        raise NotPermitted(
            "Somebody other than the uploader must clear this file: you submitted or"
            " collected this evidence, a revision of it, or the same file."
        )


def _brought(file: EvidenceFile, by: Actor) -> bool:
    """Whether `by` brought the evidence, or the same bytes to the same system."""
    evidence = file.revision.evidence
    authored = EvidenceRevision.objects.by_author(by)
    if authored.filter(evidence=evidence).exists():
        return True
    if file.blob.size_bytes <= MAX_COMMON_BYTES:
        return False
    drawn = Population.objects.filter(drawn_by=by.pk, system=evidence.system_id)
    return bool(
        authored.filter(
            files__blob=file.blob_id, evidence__system=evidence.system_id
        ).exists()
        or drawn.filter(blob=file.blob_id).exists()
    )


def may_request_removal(file: EvidenceFile, by: Actor) -> bool:
    """Whether `by` may ask for the bytes to be destroyed: officers of the system."""
    return is_officer(by, file.revision.evidence.system)


def require_removal_requester(file: EvidenceFile, by: Actor) -> None:
    """Raise NotPermitted unless `by` may ask for a removal."""
    require_officer(file.revision.evidence.system, by)


def may_decide_removal(removal: SpillRemoval, by: Actor) -> bool:
    """Whether `by` is an officer who asked for the removal neither here nor in the
    system that it follows (R32)."""
    return may_decide(removal, removal.system, by) and not _asked_elsewhere(removal, by)


def require_removal_decider(removal: SpillRemoval, by: Actor) -> None:
    """Raise NotPermitted unless `by` may approve or refuse the removal."""
    require_second_officer(removal, removal.system, by)
    if _asked_elsewhere(removal, by):
        raise NotPermitted(
            "Another officer must decide this: you asked for the removal of the same"
            " bytes."
        )


def _asked_elsewhere(removal: SpillRemoval, by: Actor) -> bool:
    return by.pk in removal.requesters - {removal.requested_by_id}
