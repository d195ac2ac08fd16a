"""From uploaded bytes to submitted links: all of it, or nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from controls.approvals import refuse_stale
from controls.errors import NotPermitted, Refused
from controls.history.clock import knowledge_now
from controls.models import Actor, AuditEvent, ControlImplementation, System, Team
from controls.models.audit import Event, about
from evidence.files.checks import Checked, check
from evidence.files.names import clean_name
from evidence.files.scan import ask_for_scan, first_state
from evidence.models import (
    Blob,
    Evidence,
    EvidenceFile,
    EvidenceLink,
    EvidenceRequirement,
    EvidenceRevision,
    LinkState,
    Proof,
    SampleItem,
)
from evidence.models.requirements import Cadence
from evidence.status.cadence import occurrence_of, proof_end
from evidence.storage import Incoming, StoredBytes, open_store
from evidence.storage.failpoints import failpoint
from evidence.submissions.quotas import count, refuse_beyond
from evidence.submissions.who_may import (
    may_submit,
    require_reviser,
    require_submitter,
    require_withdrawer,
)

ONE_DAY = dt.timedelta(days=1)
MAX_PERIOD_AHEAD = dt.timedelta(days=366)  # from today to the end of a running period


@dataclass(frozen=True)
class Upload:
    """Bytes in the store, or sealed on their way in, under the name the user gave."""

    name: str
    stored: StoredBytes
    checked: Checked
    # None: they already lie under their digest
    incoming: Incoming | None = None

    def settle(self) -> None:
        """Make sure that the bytes lie in the store before a row names them.

        Raises Refused when they were there and are no longer.
        """
        if self.incoming is not None:
            self.incoming.keep()
        elif not open_store().has(self.stored.sha256):
            raise Refused(f"“{self.name}” is no longer there. Upload it again.")


@dataclass(frozen=True)
class Submission:
    """What a contributor says about the files. Days are inclusive.

    `collected_by` is the person who took them out of their source, None for a program
    or the uploader; `draft` keeps them from review until they are handed over.
    """

    title: str
    performed_on: dt.date
    period_start: dt.date
    period_end: dt.date
    collected_on: dt.date
    source_system: str = ""
    procedure: str = ""
    sensitivity: str = "internal"
    collected_by: Any = None
    draft: bool = False
    addresses: tuple[str, ...] = ()


def store(name: str, chunks: Iterable[bytes]) -> Upload:
    """Stream one file into the store once its content is checked.

    Raises Refused when it is empty or not what may be uploaded, BlobTooLarge.
    """
    incoming = open_store().begin(limit=settings.MAX_UPLOAD_BYTES)
    try:
        for chunk in chunks:
            incoming.write(chunk)
        upload = checked_upload(name, incoming)
        refuse_empty([upload])
        upload.settle()
        return replace(upload, incoming=None)
    finally:
        incoming.close()


def checked_upload(name: str, incoming: Incoming) -> Upload:
    """Sealed bytes under a name made safe to show, if they are what it says.

    Raises Refused, naming the file. An empty file is left for `refuse_empty`.
    """
    name, stored = clean_name(name), incoming.seal()
    if stored.size_bytes == 0:
        return Upload(name, stored, Checked("text/plain"), incoming)
    with incoming.reread() as body:
        return Upload(name, stored, check(body, name), incoming)


def withdraw(
    link: EvidenceLink, *, by: Actor, reason: str, version: int | None = None
) -> None:
    """Take a link back; its team and the system's officers may.

    Raises NotPermitted for others, Refused without a reason, TransitionNotAllowed
    when the link is no longer in force, StaleVersion.
    """
    require_withdrawer(link, by=by)
    link.withdraw(by=by, reason=reason, version=version)


@dataclass(frozen=True)
class Proving:
    """What evidence is for: a requirement, or (supplementary) a control alone.

    `also` are further requirements it proves, each by a link of its own. `item` is the
    sampled event that the evidence for a per-event requirement is about.
    """

    requirement: EvidenceRequirement | None = None
    implementation: ControlImplementation | None = None
    also: Sequence[EvidenceRequirement] = ()
    item: SampleItem | None = None


@transaction.atomic
def submit(
    submission: Submission,
    uploads: Sequence[Upload],
    *,
    requirement: EvidenceRequirement | None = None,
    implementation: ControlImplementation | None = None,
    also: Iterable[EvidenceRequirement] = (),
    item: SampleItem | None = None,
    by: Actor,
    today: dt.date,
) -> EvidenceLink:
    """Record evidence with its files and hand it over for review, in one step.

    Returns the first link. Raises Refused for dates that cannot be and NotPermitted
    when a requirement is another team's.
    """
    proving = Proving(requirement, implementation, tuple(also), item)
    links, events = submitted(submission, uploads, proving, by=by, today=today)
    revision = links[0].revision
    count([(revision.evidence.team, uploads)], revision.uploaded_at)
    AuditEvent.objects.append_all(events)
    failpoint("before-commit")
    return links[0]


def submitted(
    submission: Submission,
    uploads: Sequence[Upload],
    proving: Proving,
    *,
    by: Actor,
    today: dt.date,
) -> tuple[list[EvidenceLink], list[Event]]:
    """As `submit`, in a transaction whose last acts are to `count` and write events."""
    asked = proving.requirement
    target = asked.implementation if asked else proving.implementation
    if target is None:
        raise Refused("Say which requirement or control this is for.")
    refuse_empty(uploads)
    team = _team_for(asked, target, by)
    _refuse_foreign_item(asked, proving.item)
    refuse_impossible_days(submission, today)
    refuse_strange_collector(submission, target.system)
    evidence = _evidence(submission, target.system, team, by)
    revision = make_revision(submission, evidence, uploads, by)
    draft = submission.draft
    links = [make_link(revision, target, asked, by, item=proving.item, draft=draft)]
    further = {each.pk: each for each in proving.also if each != asked}.values()
    links += [_also(revision, each, target.system, by, draft) for each in further]
    Proof.objects.follow_all([link.pk for link in links])
    said = {
        "digest": revision.digest,
        "performed_on": str(submission.performed_on),
        "files": [upload.stored.sha256 for upload in uploads],
    }
    verb = "evidence.drafted" if draft else "evidence.submitted"
    return links, [about(link, verb, by=by, **said) for link in links]


def refuse_strange_collector(submission: Submission, system: System) -> None:
    """Raise Refused for a collector who holds no role in the system."""
    person = submission.collected_by
    if person is None:
        return
    if not person.memberships.active().filter(system=system).exists():
        raise Refused({"collected_by": f"{person} has no role in {system}."})


@transaction.atomic
def submit_draft(link: EvidenceLink, *, by: Actor, version: int | None = None) -> None:
    """Submit a draft for review; its team and the system's officers may.

    Raises NotPermitted, TransitionNotAllowed when it is no draft any more,
    StaleVersion.
    """
    require_reviser(link.revision.evidence, by=by)
    stored = EvidenceLink.objects.locked().get(pk=link.pk)
    if stored.state == LinkState.DRAFT:  # of all others `submit` says what they are
        refuse_stale(stored, version)
    link.submit(by=by)


def _refuse_foreign_item(
    asked: EvidenceRequirement | None, item: SampleItem | None
) -> None:
    """Raise Refused for an item of another requirement's sample."""
    if item is not None and (
        asked is None or item.sample.population.requirement_id != asked.pk
    ):
        raise Refused("That item was sampled for another requirement.")


def _also(
    revision: EvidenceRevision,
    asked: EvidenceRequirement,
    system: System,
    by: Actor,
    draft: bool,
) -> EvidenceLink:
    """A further link of the same evidence, for a requirement one may prove."""
    if asked.system_id != system.pk:
        raise Refused("Evidence stays within its system.")
    team = asked.owner_team or asked.implementation.owner_team
    if not may_submit(asked.implementation, team, by=by):
        raise NotPermitted(f"“{asked}” is for {team or 'a team'} to prove.")
    return make_link(revision, asked.implementation, asked, by, draft=draft)


def provable_by(
    team: Team | None,
    system: System,
    today: dt.date,
    *,
    besides: EvidenceRequirement | None = None,
) -> QuerySet[EvidenceRequirement]:
    """What else a team is asked in a system today, in catalog order.

    Not what is asked per event: that is shown item by item.
    """
    mine = EvidenceRequirement.objects.for_listing().asked_of_team(team, today)
    found = mine.filter(system=system).exclude(cadence=Cadence.PER_EVENT)
    found = found.order_by("implementation__control__sort_order")
    return found.exclude(pk=besides.pk) if besides else found


def _team_for(
    requirement: EvidenceRequirement | None, target: ControlImplementation, by: Actor
) -> Team:
    """The team in whose name `by` submits."""
    team = (requirement and requirement.owner_team) or target.owner_team
    if team is None:
        raise Refused("This control has no owner team yet: ask an officer to name one.")
    require_submitter(target, team, by=by)
    return team


def refuse_empty(uploads: Sequence[Upload]) -> None:
    """Raise Refused where nothing is attached, or a file without a byte."""
    if not uploads:
        raise Refused("Attach at least one file.")
    for upload in uploads:
        if upload.stored.size_bytes == 0:
            raise Refused(f"“{upload.name}” is empty: nothing was stored.")


def refuse_impossible_days(submission: Submission, today: dt.date) -> None:
    """Raise Refused, by field, for days that contradict each other or the clock."""
    said = submission
    if said.period_end < said.period_start:
        raise Refused({"period_end": "The period ends before it starts."})
    if said.period_end > today + MAX_PERIOD_AHEAD:
        # the running period may end after today, but none reaches as far as this
        raise Refused({"period_end": "The period ends more than a year from now."})
    for name in ("performed_on", "collected_on", "period_start"):
        if getattr(said, name) > today:
            raise Refused({name: "That day has not come yet."})
    if said.collected_on < said.performed_on:
        raise Refused(
            {"collected_on": "Evidence cannot be collected before it was performed."}
        )
    if said.performed_on < said.period_start:
        raise Refused(
            {"performed_on": "It was performed before the period it is about began."}
        )


def _evidence(said: Submission, system: System, team: Team, by: Actor) -> Evidence:
    return Evidence.objects.create(
        system=system,
        team=team,
        created_by=by,
        title=said.title,
        source_system=said.source_system,
        procedure=said.procedure,
        sensitivity=said.sensitivity,
    )


def make_revision(
    said: Submission,
    evidence: Evidence,
    uploads: Sequence[Upload],
    by: Actor,
    **about_it: Any,
) -> EvidenceRevision:
    """Settle the bytes, then save files and dates; `about_it`: number, kind, reason."""
    instant = knowledge_now()
    refuse_beyond(evidence.team, uploads, instant)
    digests = [upload.stored.sha256 for upload in uploads]
    if len(set(digests)) < len(digests):
        raise Refused("The same file is attached twice.")
    days = (said.performed_on, said.period_start, said.period_end + ONE_DAY)
    revision = EvidenceRevision(
        evidence=evidence,
        uploaded_by=by,
        uploaded_at=instant,
        performed_on=days[0],
        period_from=days[1],
        period_until=days[2],
        collected_on=said.collected_on,
        collected_by=said.collected_by,
        addresses=list(said.addresses),
        digest=EvidenceRevision.digest_of(digests, *days),
        **about_it,
    )
    revision.save(force_insert=True)
    EvidenceFile.objects.bulk_create(
        EvidenceFile(
            revision=revision,
            blob=blob_of(upload),
            name=upload.name,
            position=n,
            flags=list(upload.checked.flags),
        )
        for n, upload in enumerate(uploads, start=1)
    )
    return revision


def blob_of(upload: Upload) -> Blob:
    """The row of the bytes, locked; the same bytes twice are one row.

    The bytes are settled before the transaction ends, so no row is ever without them;
    and after the row is made, so no sweep takes them for unreferenced meanwhile.
    Raises Refused for bytes that were removed as a spill: they do not come back.
    """
    failpoint("before-insert")
    row = Blob(
        sha256=upload.stored.sha256,
        size_bytes=upload.stored.size_bytes,
        media_type=upload.checked.media_type,
        scan_state=first_state(),
    )
    Blob.objects.bulk_create([row], ignore_conflicts=True)
    failpoint("after-insert")
    blob = Blob.objects.select_for_update(no_key=True).get(sha256=row.sha256)
    if blob.purged_at:
        said = "was removed as a spill; it may not be uploaded again."
        raise Refused(f"“{upload.name}” {said}")
    upload.settle()
    ask_for_scan(blob)
    return blob


def make_link(
    revision: EvidenceRevision,
    target: ControlImplementation,
    requirement: EvidenceRequirement | None,
    by: Actor,
    *,
    item: SampleItem | None = None,
    draft: bool = False,
) -> EvidenceLink:
    """Save an unreviewed link of a revision, with the days it will prove."""
    occurrence: dt.date | None = None
    ends: dt.date | None = revision.performed_on
    if requirement:
        # Nothing performs a period before it begins, however long it claims to be.
        told = min(revision.period_last, revision.performed_on)
        occurrence = occurrence_of(requirement.cadence, told)
        ends = proof_end(
            requirement.cadence,
            occurrence,
            revision.performed_on,
            requirement.grace_days,
        )
    link = EvidenceLink(
        system=target.system,
        revision=revision,
        implementation=target,
        requirement=requirement,
        sample_item=item,
        submitted_by=by,
        submitted_at=None if draft else revision.uploaded_at,
        state=LinkState.DRAFT if draft else LinkState.SUBMITTED,
        occurrence=occurrence,
        proves_from=revision.performed_on,
        proves_to=ends,
    )
    link.save(force_insert=True)
    return link
