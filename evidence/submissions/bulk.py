"""Many files in one step: planned row by row, seen by a person, then all or nothing.

Between the preview and the confirmation the bytes lie in the store under their digest
and no row names them; what is never confirmed is an orphan, which `evidence_sweep`
deletes after a day.
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
from controls.idempotency import KeyedRequest, first_use
from controls.models import Actor, AuditEvent, System, Team
from evidence.files.checks import Checked
from evidence.models import EvidenceLink, EvidenceRequirement
from evidence.models.requirements import Cadence
from evidence.storage import StoredBytes, open_store
from evidence.submissions.bulk_list import (
    BulkRowError,
    MappingRow,
    control_of,
    submission_of,
)
from evidence.submissions.quotas import count
from evidence.submissions.submit import (
    Proving,
    Submission,
    Upload,
    refuse_impossible_days,
    submitted,
)
from evidence.submissions.who_may import may_submit

SALT = "evidence.bulk"
UNSAID = ("collected_by", "draft", "addresses")  # a list says none of them
HOUR = 3600  # seconds that a preview may be confirmed


@dataclass(frozen=True)
class Planned:
    """One evidence of the plan: its words, its file, and what it proves."""

    rows: tuple[int, ...]
    submission: Submission
    upload: Upload
    requirements: tuple[EvidenceRequirement, ...]


@dataclass
class Plan:
    """What would be recorded, and everything that stands against it."""

    planned: list[Planned] = field(default_factory=list)
    errors: list[BulkRowError] = field(default_factory=list)

    @property
    def links(self) -> int:
        """How many controls' halves would wait for review."""
        return sum(len(each.requirements) for each in self.planned)


def plan(
    system: System,
    rows: Sequence[MappingRow],
    uploads: Mapping[str, Upload],
    *,
    by: Actor,
    today: dt.date,
) -> Plan:
    """What the rows ask for, and per row what is wrong. Writes nothing."""
    found = Plan()
    asked = _by_control(system, today)
    groups: dict[Any, list[tuple[MappingRow, EvidenceRequirement]]] = defaultdict(list)
    for row in rows:
        upload = uploads.get(row.file)
        if upload is None:
            said = f"“{row.file[:80]}” is not among the files."
            found.errors.append(BulkRowError(row.number, "file", said))
        requirement = _requirement(row, asked, by, found.errors)
        submission = submission_of(row, found.errors)
        if submission is None or not _possible(row, submission, today, found.errors):
            continue
        if upload and requirement:
            groups[(row.file, submission)].append((row, requirement))
    named = {row.file for row in rows}
    for name in sorted(uploads.keys() - named):
        found.errors.append(BulkRowError(0, "file", f"No row speaks of “{name}”."))
    found.planned = [
        Planned(
            rows=tuple(row.number for row, _ in pairs),
            submission=submission,
            upload=uploads[name],
            requirements=tuple(dict.fromkeys(each for _, each in pairs)),
        )
        for (name, submission), pairs in groups.items()
    ]
    return found


def _by_control(system: System, today: dt.date) -> dict[str, list[EvidenceRequirement]]:
    found: dict[str, list[EvidenceRequirement]] = defaultdict(list)
    for each in EvidenceRequirement.objects.in_operation(system, today):
        found[each.implementation.control.ref_id].append(each)
    return found


def _requirement(
    row: MappingRow,
    asked: Mapping[str, list[EvidenceRequirement]],
    by: Actor,
    errors: list[BulkRowError],
) -> EvidenceRequirement | None:
    """The requirement a row means: by title, or the only one of the control."""
    said = row.cells["control"][:40]
    there = asked.get(control_of(row), [])
    wanted = row.cells["requirement"].casefold()
    fitting = [each for each in there if wanted in {"", each.title.casefold()}]
    problem = ""
    column = "control"
    if not there:
        problem = f"“{said}” is no control here of which anything is asked."
    elif len(fitting) != 1:
        column = "requirement"
        titles = "; ".join(each.title for each in there)
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


def _team(asked: EvidenceRequirement) -> Team | None:
    return asked.owner_team or asked.implementation.owner_team


def _possible(
    row: MappingRow, said: Submission, today: dt.date, errors: list[BulkRowError]
) -> bool:
    try:
        refuse_impossible_days(said, today)
    except ValidationError as refusal:
        for column, texts in refusal.message_dict.items():
            errors.append(BulkRowError(row.number, column, " ".join(texts)))
        return False
    return True


def sealed(system: System, found: Plan, *, by: Actor) -> str:
    """The plan as a signed text that its author may confirm within an hour.

    Keeps the bytes in the store, so that they need not be sent again.
    """
    if found.errors or not found.planned:
        raise Refused("There is nothing to confirm.")
    for each in found.planned:
        each.upload.settle()
    body = {
        "system": system.pk,
        "by": by.pk,
        "planned": [_packed(each) for each in found.planned],
    }
    return signing.dumps(body, salt=SALT, compress=True)


def _packed(each: Planned) -> dict[str, Any]:
    said, upload = each.submission, each.upload
    return {
        "rows": each.rows,
        "said": {n: str(v) for n, v in vars_of(said).items() if n not in UNSAID},
        "name": upload.name,
        "sha256": upload.stored.sha256,
        "size": upload.stored.size_bytes,
        "type": upload.checked.media_type,
        "flags": list(upload.checked.flags),
        "asked": [requirement.pk for requirement in each.requirements],
    }


def vars_of(said: Submission) -> dict[str, Any]:
    """A submission's fields by name."""
    return {name: getattr(said, name) for name in said.__dataclass_fields__}


def confirm(
    system: System, token: str, *, by: Actor, today: dt.date
) -> list[EvidenceLink]:
    """Record everything of a sealed plan, or nothing; confirmed again, the same links.

    Raises TransitionNotAllowed when it is too old, another person's or its bytes are
    gone; Refused and NotPermitted as `submit` does, for what changed since.
    """
    verb = f"confirm files for system {system.pk}"
    with first_use(KeyedRequest.of_preview(by, verb, token)) as key:
        if key.answered:
            made = EvidenceLink.objects.filter(pk__in=json.loads(key.body))
            return list(made.order_by("pk"))
        links = _recorded(_opened(system, token, by), by=by, today=today)
        key.answer_with(201, body=json.dumps([link.pk for link in links]))
    return links


def _recorded(
    planned: list[Planned], *, by: Actor, today: dt.date
) -> list[EvidenceLink]:
    """Everything of a plan, in a transaction."""
    links, events, brought = [], [], []
    for each in planned:
        first, *also = each.requirements
        made, said = submitted(
            each.submission,
            [each.upload],
            Proving(first, also=also),
            by=by,
            today=today,
        )
        links += made
        events += said
        brought.append((made[0].revision.evidence.team, [each.upload]))
    count(brought, links[0].revision.uploaded_at)
    AuditEvent.objects.append_all(events)
    return links


def _opened(system: System, token: str, by: Actor) -> list[Planned]:
    try:
        body = signing.loads(token, salt=SALT, max_age=HOUR)
    except signing.BadSignature as broken:
        said = "This preview is too old. Upload the files again."
        raise TransitionNotAllowed(said) from broken
    if (body["system"], body["by"]) != (system.pk, by.pk):
        raise TransitionNotAllowed("This preview is somebody else's.")
    pks = {pk for each in body["planned"] for pk in each["asked"]}
    asked = EvidenceRequirement.objects.for_listing().in_bulk(pks)
    return [_unpacked(each, asked) for each in body["planned"]]


def _unpacked(each: dict[str, Any], asked: dict[int, EvidenceRequirement]) -> Planned:
    said = each["said"]
    for name in ("performed_on", "period_start", "period_end", "collected_on"):
        said[name] = dt.date.fromisoformat(said[name])
    stored = StoredBytes(each["sha256"], each["size"], b"")
    if not open_store().has(stored.sha256):
        sentence = f"“{each['name']}” is no longer there. Upload it again."
        raise TransitionNotAllowed(sentence)
    checked = Checked(each["type"], tuple(each["flags"]))
    return Planned(
        rows=tuple(each["rows"]),
        submission=Submission(**said),
        upload=Upload(each["name"], stored, checked),
        requirements=tuple(asked[pk] for pk in each["asked"]),
    )
