"""Many files in one step: a plan that a person has seen is recorded, all or nothing.

Between the preview and the confirmation the bytes lie in the store under their digest
and no row names them; what is never confirmed is an orphan, which `evidence_sweep`
deletes after a day.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from controls.errors import Refused, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.idempotency import KeyedRequest, first_use, was_confirmed
from controls.models import Actor, AuditEvent, System
from controls.sealed_previews import seal, unseal
from evidence.files.checks import Checked
from evidence.models import Arrival, EvidenceLink, RequirementControl
from evidence.storage import StoredBytes, open_store
from evidence.submissions.bulk_plan import Plan, Planned, team_asked, twins_of_plan
from evidence.submissions.quotas import count, count_preview
from evidence.submissions.submission import Submission
from evidence.submissions.submit import Proving, submitted
from evidence.submissions.twins import refuse_twins
from evidence.submissions.uploads import Upload, lock_blobs, refuse_removed, settle_all

SALT = "evidence.bulk"
NOT_LISTED = ("collected_by", "draft", "addresses")  # a list says none of them
AGAIN = "Upload the files again."


def sealed(system: System, whole: Plan, *, by: Actor) -> str:
    """The plan as a signed text that its author may confirm within an hour.

    Keeps the bytes in the store, so that they need not be sent again, and counts them
    to the day of their team. Raises TooManyFiles, NoRoomLeft.
    """
    if whole.errors or not whole.planned:
        raise Refused("There is nothing to confirm.")
    refuse_removed([planned.upload for planned in whole.planned], system)
    brought = [
        (team, [planned.upload])
        for planned in whole.planned
        if (team := team_asked(planned.requirements[0])) is not None
    ]
    count_preview(brought, knowledge_now())
    settle_all(planned.upload for planned in whole.planned)
    body = {"planned": [_packed(planned) for planned in whole.planned]}
    return seal(SALT, system.pk, body, by=by)


def _packed(planned: Planned) -> dict[str, Any]:
    upload, fields = planned.upload, vars_of(planned.submission)
    return {
        "rows": planned.rows,
        "said": {n: str(v) for n, v in fields.items() if n not in NOT_LISTED},
        "name": upload.name,
        "sha256": upload.stored.sha256,
        "size": upload.stored.size_bytes,
        "type": upload.checked.media_type,
        "flags": list(upload.checked.flags),
        "counted": True,
        "asked": [requirement.pk for requirement in planned.requirements],
    }


def vars_of(submission: Submission) -> dict[str, Any]:
    """A submission's fields by name."""
    names = submission.__dataclass_fields__
    return {name: getattr(submission, name) for name in names}


def confirm(
    system: System,
    token: str,
    *,
    by: Actor,
    today: dt.date,
    plans: list[Planned] | None = None,
    again: bool = False,
) -> list[EvidenceLink]:
    """Record everything of a sealed plan, or nothing; confirmed again, the same links.

    Without `again` bytes that stand for the same ask and period are refused with
    AlreadyBrought, each named. `plans` is what `opened` made of the token, where that
    was called before. Raises TransitionNotAllowed when it is too old, another person's
    or its bytes are gone; Refused and NotPermitted as `submit` does, for what changed
    since.
    """
    verb = f"confirm files for system {system.pk}"
    # the store is asked before the key is held
    if plans is None and not was_confirmed(by, token):
        plans = opened(system, token, by)
    with first_use(KeyedRequest.of_preview(by, verb, token)) as key:
        if key.answered:
            made = EvidenceLink.objects.filter(pk__in=json.loads(key.body))
            return list(made.order_by("pk"))
        plans = plans or opened(system, token, by)
        if not again:
            twins = [twin for twins in twins_of_plan(plans) for twin in twins]
            refuse_twins(twins, by=by, today=today)
        links = _recorded(plans, by=by, today=today)
        key.answer_with(201, body=json.dumps([link.pk for link in links]))
    return links


def _recorded(plans: list[Planned], *, by: Actor, today: dt.date) -> list[EvidenceLink]:
    """Everything of a plan, in the transaction of the caller."""
    links, events, uploads_by_team = [], [], []
    # all at once, so that the order of the list does not matter
    lock_blobs(planned.upload for planned in plans)
    for planned in plans:
        first, *also = planned.requirements
        made, made_events = submitted(
            planned.submission,
            [planned.upload],
            Proving(first, also=also),
            by=by,
            today=today,
        )
        links += made
        events += made_events
        uploads_by_team.append((made[0].revision.evidence.team, [planned.upload]))
    count(uploads_by_team, links[0].revision.uploaded_at)
    AuditEvent.objects.append_all(events)
    return links


def opened(system: System, token: str, by: Actor) -> list[Planned]:
    """The plan of a token, whose bytes no sweep deletes from now on.

    Asks the store: call it before a transaction begins. Raises TransitionNotAllowed for
    a token that does not count, or where bytes are gone.
    """
    body = unseal(SALT, token, system.pk, by=by, again=AGAIN)
    pks = {pk for packed in body["planned"] for pk in packed["asked"]}
    requirements = RequirementControl.objects.for_listing().in_bulk(pks)
    Arrival.objects.expect(packed["sha256"] for packed in body["planned"])
    return [_unpacked(packed, requirements) for packed in body["planned"]]


def _unpacked(
    packed: dict[str, Any], requirements: dict[int, RequirementControl]
) -> Planned:
    fields = packed["said"]
    for name in ("performed_on", "period_start", "period_end", "collected_on"):
        fields[name] = dt.date.fromisoformat(fields[name])
    stored = StoredBytes(packed["sha256"], packed["size"], b"")
    if not open_store().has(stored.sha256):
        reason = f"“{packed['name']}” is no longer there. Upload it again."
        raise TransitionNotAllowed(reason)
    checked = Checked(packed["type"], tuple(packed["flags"]))
    return Planned(
        rows=tuple(packed["rows"]),
        submission=Submission(**fields),
        # a preview of the version before was not counted
        upload=Upload(
            packed["name"], stored, checked, counted=packed.get("counted", False)
        ),
        requirements=tuple(requirements[pk] for pk in packed["asked"]),
    )
