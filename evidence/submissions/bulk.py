"""Many files in one step: planned row by row, seen by a person, then all or nothing.

Between the preview and the confirmation the bytes lie in the store under their digest
and no row names them; what is never confirmed is an orphan, which `evidence_sweep`
deletes after a day.

One file: what the preview seals is what the confirmation opens.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core import signing
from django.core.exceptions import ValidationError

from controls.errors import Refused, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.idempotency import KeyedRequest, first_use, was_confirmed
from controls.models import Actor, AuditEvent, System, Team
from evidence.files.checks import Checked
from evidence.models import Arrival, EvidenceLink, RequirementControl
from evidence.models.asks import Cadence
from evidence.storage import StoredBytes, open_store
from evidence.submissions.bulk_list import (
    BulkRowError,
    MappingRow,
    control_of,
    submission_of,
)
from evidence.submissions.quotas import count, count_preview
from evidence.submissions.submission import (
    Submission,
    refuse_impossible_days,
    refuse_source_unnamed,
)
from evidence.submissions.submit import Proving, submitted
from evidence.submissions.uploads import Upload, lock_blobs, refuse_removed, settle_all
from evidence.submissions.who_may import may_submit

SALT = "evidence.bulk"
NOT_LISTED = ("collected_by", "draft", "addresses")  # a list says none of them
HOUR = 3600  # seconds that a preview may be confirmed


@dataclass(frozen=True)
class Planned:
    """One evidence of the plan: its words, its file, and what it proves."""

    rows: tuple[int, ...]
    submission: Submission
    upload: Upload
    requirements: tuple[RequirementControl, ...]


@dataclass
class Plan:
    """What would be recorded, and everything that stands against it."""

    planned: list[Planned] = field(default_factory=list)
    errors: list[BulkRowError] = field(default_factory=list)

    @property
    def links(self) -> int:
        """How many controls' halves would wait for review."""
        return sum(len(planned.requirements) for planned in self.planned)


def plan(
    system: System,
    rows: Sequence[MappingRow],
    uploads: Mapping[str, Upload],
    *,
    by: Actor,
    today: dt.date,
) -> Plan:
    """What the rows ask for, and per row what is wrong. Writes nothing."""
    whole = Plan()
    requirements = _by_control(system, today)
    groups: dict[Any, list[tuple[MappingRow, RequirementControl]]] = defaultdict(list)
    for row in rows:
        upload = uploads.get(row.file)
        if upload is None:
            problem = f"“{row.file[:80]}” is not among the files."
            whole.errors.append(BulkRowError(row.number, "file", problem))
        requirement = _requirement(row, requirements, by, whole.errors)
        submission = submission_of(row, whole.errors)
        if submission is None or not _possible(row, submission, today, whole.errors):
            continue
        if upload and requirement:
            groups[(row.file, submission)].append((row, requirement))
    named = {row.file for row in rows}
    for name in sorted(uploads.keys() - named):
        whole.errors.append(BulkRowError(0, "file", f"No row speaks of “{name}”."))
    whole.planned = [
        Planned(
            rows=tuple(row.number for row, _ in pairs),
            submission=submission,
            upload=uploads[name],
            requirements=tuple(dict.fromkeys(requirement for _, requirement in pairs)),
        )
        for (name, submission), pairs in groups.items()
    ]
    return whole


def _by_control(system: System, today: dt.date) -> dict[str, list[RequirementControl]]:
    by_control: dict[str, list[RequirementControl]] = defaultdict(list)
    for requirement in RequirementControl.objects.in_operation(system, today):
        by_control[requirement.implementation.control.ref_id].append(requirement)
    return by_control


def _requirement(
    row: MappingRow,
    requirements: Mapping[str, list[RequirementControl]],
    by: Actor,
    errors: list[BulkRowError],
) -> RequirementControl | None:
    """The requirement a row means: by title, or the only one of the control."""
    named = row.cells["control"][:40]
    of_control = requirements.get(control_of(row), [])
    title = row.cells["requirement"].casefold()
    fitting = [
        requirement
        for requirement in of_control
        if title in {"", requirement.title.casefold()}
    ]
    problem = ""
    column = "control"
    if not of_control:
        problem = f"“{named}” is no control here of which anything is asked."
    elif len(fitting) != 1:
        column = "requirement"
        titles = "; ".join(requirement.title for requirement in of_control)
        problem = f"Name one of: {titles}."
    elif fitting[0].cadence == Cadence.PER_EVENT:
        column = "requirement"
        problem = "That is asked per event: upload beside each sampled item."
    elif not may_submit(fitting[0].implementation, _team(fitting[0]), by=by):
        problem = f"That is for {_team(fitting[0]) or 'a team'} to prove."
    if problem:
        errors.append(BulkRowError(row.number, column, problem))
        return None
    return fitting[0]


def _team(requirement: RequirementControl) -> Team | None:
    return requirement.owner_team or requirement.implementation.owner_team


def _possible(
    row: MappingRow, submission: Submission, today: dt.date, errors: list[BulkRowError]
) -> bool:
    """Whether its days may be, and its source is named where it says to be complete."""
    known = len(errors)
    for refuse in (
        lambda: refuse_impossible_days(submission, today),
        lambda: refuse_source_unnamed(submission),
    ):
        try:
            refuse()
        except ValidationError as refusal:
            for column, texts in refusal.message_dict.items():
                errors.append(BulkRowError(row.number, column, " ".join(texts)))
    return len(errors) == known


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
        if (team := _team(planned.requirements[0])) is not None
    ]
    count_preview(brought, knowledge_now())
    settle_all(planned.upload for planned in whole.planned)
    body = {
        "system": system.pk,
        "by": by.pk,
        "planned": [_packed(planned) for planned in whole.planned],
    }
    return signing.dumps(body, salt=SALT, compress=True)


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
) -> list[EvidenceLink]:
    """Record everything of a sealed plan, or nothing; confirmed again, the same links.

    `plans` is what `opened` made of the token, where that was called before. Raises
    TransitionNotAllowed when it is too old, another person's or its bytes are gone;
    Refused and NotPermitted as `submit` does, for what changed since.
    """
    verb = f"confirm files for system {system.pk}"
    # the store is asked before the key is held
    if plans is None and not was_confirmed(by, token):
        plans = opened(system, token, by)
    with first_use(KeyedRequest.of_preview(by, verb, token)) as key:
        if key.answered:
            made = EvidenceLink.objects.filter(pk__in=json.loads(key.body))
            return list(made.order_by("pk"))
        links = _recorded(plans or opened(system, token, by), by=by, today=today)
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
    try:
        body = signing.loads(token, salt=SALT, max_age=HOUR)
    except signing.BadSignature as broken:
        reason = "This preview is too old. Upload the files again."
        raise TransitionNotAllowed(reason) from broken
    if (body["system"], body["by"]) != (system.pk, by.pk):
        raise TransitionNotAllowed("This preview is somebody else's.")
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
