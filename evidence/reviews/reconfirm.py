"""Accepted proof that was performed under other duties: to be confirmed anew (R17).

A change of services may change what our half is about. What was accepted before keeps
counting; from the day of the change on it is marked until a reviewer says that it
proves the new duties as well.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from controls.approvals import refuse_stale
from controls.display_names import layer_name
from controls.errors import TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.models import Actor, AuditEvent, ControlImplementation, Role, System
from controls.models.audit import about
from controls.models.systems import systems_by_day
from controls.service_names import component_name
from evidence.models import EvidenceLink, LinkState, Review
from evidence.models.confirmed_days import NOT_CONFIRMED, DayConfirmation
from evidence.models.links import require_independent_reviewer
from evidence.status.gather import Moment
from evidence.status.rows import read_rows

# Controls come first: where no other duties held on any day, as of most, nothing that
# is accepted for them is read.
STATEMENT = """
WITH changed AS MATERIALIZED (
  SELECT i.id, dn.effective, dn.basis_id, dn.known_from, others.until
    FROM unnest(%(implementations)s::bigint[]) AS i(id)
    JOIN LATERAL (
      SELECT * FROM controls_responsibilitydecision d
       WHERE d.implementation_id = i.id AND d.effective @> %(day)s::date AND {before}
       ORDER BY d.known_from DESC, d.id DESC LIMIT 1) dn ON TRUE
    JOIN LATERAL (
      SELECT max(coalesce(upper(d.effective), 'infinity'::date)) AS until
        FROM controls_responsibilitydecision d
       WHERE d.implementation_id = i.id AND d.basis_id <> dn.basis_id AND {before}
      ) others ON others.until IS NOT NULL)
SELECT p.link_id, l.uuid AS link, p.implementation_id, lower(dn.effective) AS since,
       bn.body AS duties_now, b0.body AS duties_then
  FROM changed dn
  JOIN LATERAL (
    SELECT p.link_id, p.implementation_id, p.starts FROM evidence_proof p
     WHERE p.implementation_id = dn.id AND p.half = 'customer'
       AND p.state = 'accepted' AND p.requirement_id IS NOT NULL
       AND p.starts <= %(day)s AND p.starts < dn.until AND p.ends >= %(day)s
       AND {holding} AND {proof_standing} OFFSET 0) p ON TRUE
  JOIN LATERAL (
    SELECT * FROM controls_responsibilitydecision d
     WHERE d.implementation_id = p.implementation_id
       AND d.effective @> p.starts AND {before}
     ORDER BY d.known_from DESC, d.id DESC LIMIT 1) d0 ON dn.basis_id <> d0.basis_id
  JOIN evidence_evidencelink l ON l.id = p.link_id
  JOIN controls_basis bn ON bn.digest = dn.basis_id
  JOIN controls_basis b0 ON b0.digest = d0.basis_id
  LEFT JOIN LATERAL (
    SELECT r.id FROM evidence_review r
     WHERE r.link_id = p.link_id AND r.decision = 'accept'
       AND r.known_from > dn.known_from AND {before} LIMIT 1) again ON TRUE
 WHERE again.id IS NULL
 ORDER BY p.link_id
"""
Duty = tuple[str, str]


@dataclass(frozen=True)
class ReconfirmationMark:
    """One accepted link to confirm: since when, and the duties that came and went."""

    link: UUID
    link_id: int
    implementation: int
    since: dt.date | None
    added: tuple[str, ...]
    gone: tuple[str, ...]

    def words_with(self, names: Mapping[str, str]) -> str:
        """What changed, for a sentence; services by their display names."""
        changes = (("new", self.added), ("no longer", self.gone))
        return "; ".join(
            f"{word}: {', '.join(_duty_name(duty, names) for duty in duties)}"
            for word, duties in changes
            if duties
        )


def _duty_name(duty: str, names: Mapping[str, str]) -> str:
    """`guest-os of ec2` as `guest operating system of Amazon EC2`."""
    layer, _, component = duty.partition(" of ")
    return f"{layer_name(layer).lower()} of {component_name(names, component)}"


def our_duties(body: Iterable[Mapping[str, Any]]) -> frozenset[Duty]:
    """Layers and components of a basis that we run."""
    return frozenset(
        (row["layer"], row["component"]) for row in body if row["party"] == "customer"
    )


def marks(implementations: Sequence[int], moment: Moment) -> list[ReconfirmationMark]:
    """Accepted links of some controls to confirm on a day. One statement."""
    rows = read_rows(STATEMENT, moment, implementations=list(implementations))
    every_mark = (_mark(row) for row in rows)
    return [mark for mark in every_mark if mark.added or mark.gone]


def _mark(row: Mapping[str, Any]) -> ReconfirmationMark:
    now, then = (our_duties(_data(row[n])) for n in ("duties_now", "duties_then"))
    return ReconfirmationMark(
        link=row["link"],
        link_id=row["link_id"],
        implementation=row["implementation_id"],
        since=row["since"],
        added=tuple(sorted(f"{layer} of {name}" for layer, name in now - then)),
        gone=tuple(sorted(f"{layer} of {name}" for layer, name in then - now)),
    )


def _data(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def to_reconfirm(
    user: Actor, now: dt.datetime, *, system: System | None = None
) -> list[tuple[ReconfirmationMark, EvidenceLink]]:
    """What waits for a reviewer to confirm anew, in the systems of the person or one
    of them.

    Each by the day that `now` is in its system; as many statements for each such day.
    """
    held = System.objects.held_as(user, [Role.REVIEWER, Role.OFFICER])
    if system is not None:
        held = held.filter(pk=system.pk)
    by_link: dict[int, ReconfirmationMark] = {}
    for today, systems in systems_by_day(held, now).items():
        pks = _decided_anew(systems)
        if pks:
            by_link |= {mark.link_id: mark for mark in marks(pks, Moment(today))}
    if not by_link:
        return []
    links = EvidenceLink.objects.reviewable_by(user).filter(pk__in=by_link)
    return [(by_link[link.pk], link) for link in links.for_listing().order_by("pk")]


def _decided_anew(systems: Sequence[System]) -> list[int]:
    """Keys of the controls whose class was decided more than once."""
    decided = ControlImplementation.objects.filter(system__in=systems).annotate(
        decision_count=Count("decisions")
    )
    return list(decided.filter(decision_count__gt=1).values_list("pk", flat=True))


def _day_confirmed(link: EvidenceLink) -> DayConfirmation:
    """What the review that counts says of the day: duties change nothing of it."""
    last = link.reviews.filter(decision="accept").order_by("pk").last()
    if last is None:
        return NOT_CONFIRMED
    return DayConfirmation(last.day_confirmed, last.day_shown_by)


@transaction.atomic
def reconfirm(
    link: EvidenceLink, *, by: Actor, reason: str = "", version: int | None = None
) -> Review:
    """Record that accepted proof covers the duties of now as well.

    Raises NotPermitted as a review does, TransitionNotAllowed when the link is not
    accepted or nothing changed since its review, StaleVersion.
    """
    stored = EvidenceLink.objects.locked().get(pk=link.pk)
    require_independent_reviewer(stored, by, stored.authors())
    if stored.state != LinkState.ACCEPTED:
        raise TransitionNotAllowed("Only accepted evidence can be confirmed.")
    today = stored.system.day_of(knowledge_now())
    if not any(
        mark.link_id == stored.pk
        for mark in marks([stored.implementation_id], Moment(today))
    ):
        raise TransitionNotAllowed("Its duties have not changed since its review.")
    refuse_stale(stored, version)
    review = Review.of(
        stored,
        decision="accept",
        by=by,
        reason=reason.strip(),
        day=_day_confirmed(stored),
        complete=True,  # as ticked when it was accepted: the files are the same
    )
    review.save(force_insert=True)
    AuditEvent.objects.append(
        about(stored, "evidence.reconfirmed", by=by, reason=reason.strip())
    )
    return review
