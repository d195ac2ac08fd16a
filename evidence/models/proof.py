"""What status reads: which link counts for which half on which days, since when."""

from __future__ import annotations

import datetime as dt
from typing import Any, Self

from django.db import connection, models
from django.db.models import Q

from controls.models import ControlImplementation, System
from evidence.models.asks import EvidenceRequirement
from evidence.models.links import EvidenceLink, Half
from evidence.models.requirements import RequirementControl

NO_END = dt.date.max  # as `ends`: performed once


class ProofQuerySet(models.QuerySet["Proof"]):
    """Kept in step with links and terms by the methods that change those."""

    def holding_on(self, day: dt.date) -> Self:
        """What is known now, by the ends that are right for a day asked about."""
        return self.filter(known_until=None, holds_from__lte=day, holds_until__gt=day)

    def follow(self, link: EvidenceLink) -> None:
        """Close the link's current rows and open some with its state of now."""
        self.follow_all([link.pk])

    def follow_all(self, link_pks: list[int]) -> None:
        """The same for many links, in two statements."""
        with connection.cursor() as cursor:
            cursor.execute(CLOSE, [link_pks])
            cursor.execute(OPEN, [link_pks])

    def begin(self, link_pks: list[int]) -> None:
        """As `follow_all`, of links made just now, which have no rows yet."""
        with connection.cursor() as cursor:
            cursor.execute(OPEN, [link_pks])

    def follow_terms(
        self, ask: EvidenceRequirement, first_day: dt.date, known_from: dt.datetime
    ) -> None:
        """Write the ends of an ask's links anew for days asked about from `first_day`.

        Days before keep the ends they had. For those who wrote its terms, in the same
        transaction. Two statements.
        """
        with connection.cursor() as cursor:
            days: dict[str, Any] = {
                "ask": ask.pk,
                "first_day": first_day,
                "known_from": known_from,
            }
            cursor.execute(CLOSE_FROM_DAY, days)
            closed = [pk for (pk,) in cursor.fetchall()]
            if closed:
                cursor.execute(OPEN_FROM_DAY, days | {"closed": closed})


CLOSE = """
UPDATE evidence_proof AS p SET known_until = l.known_from
  FROM evidence_evidencelink AS l
 WHERE p.link_id = l.id AND p.known_until IS NULL AND l.id = ANY(%s)
"""


def _period_end(terms: str, day: str) -> str:
    """SQL: last day of the calendar period, of these terms, that holds `day`."""
    return f"""CASE {terms}.cadence
       WHEN 'weekly' THEN date_trunc('week', {day})::date + 6
       WHEN 'monthly' THEN (date_trunc('month', {day}) + interval '1 month')::date - 1
       WHEN 'quarterly' THEN
         (date_trunc('quarter', {day}) + interval '3 months')::date - 1
       WHEN 'half-yearly' THEN (date_trunc('year', {day}) + interval '6 months'
         * ceil(extract(month FROM {day}) / 6))::date - 1 END"""


def _next_period(terms: str) -> str:
    """SQL: since when these terms' cadence holds (`began`), and the last day of what
    they ask for next after the link `l` (`ends`; null where nothing recurs).

    OFFSET 0 has a day planned once, not anew in each place that names it."""
    own_end = _period_end(terms, "l.occurrence")
    return f"""CROSS JOIN LATERAL (
    SELECT max(upper(before.days)) AS began FROM evidence_requirementterms AS before
     WHERE before.ask_id = {terms}.ask_id AND before.cadence <> {terms}.cadence
       AND upper(before.days) <= lower({terms}.days)) AS {terms}_began
  CROSS JOIN LATERAL (SELECT greatest(
      1 + coalesce(l.occurrence_ends, {own_end}, l.proves_from),
      {terms}_began.began) AS day OFFSET 0) AS {terms}_following
  CROSS JOIN LATERAL (SELECT CASE {terms}.cadence
      WHEN 'yearly' THEN (l.proves_from + interval '12 months')::date
      ELSE {_period_end(terms, f"{terms}_following.day")} END AS ends
      OFFSET 0) AS {terms}_next
"""


# R13, as `status.cadence.proof_end_by` says it: the due day of the first period that
# ends after the link's own and not before this cadence began; a year from a yearly
# performance; no end where nothing recurs. What fell due after it under an earlier
# cadence, and was not performed, is its end for good. A test holds the two together.
_TERMS_OF_LINK = f"""
  FROM evidence_requirementterms AS t
  {_next_period("t")}
  CROSS JOIN LATERAL (
    SELECT min(former_next.ends + former.grace_days) AS due
      FROM evidence_requirementterms AS former
      {_next_period("former")}
     WHERE former.ask_id = t.ask_id AND upper(former.days) <= t_began.began
       AND former_next.ends < upper(former.days)) AS missed
  CROSS JOIN LATERAL (
    SELECT least(coalesce(t_next.ends + t.grace_days, '9999-12-31'::date), missed.due)
      AS ends) AS carried
"""

# One row for each range of terms from the performance on; the first of them speaks of
# all days before it too. Supplementary links have no terms.
ROWS_BY_LINK = f"""
SELECT l.system_id, l.implementation_id, l.requirement_id, l.id AS link_id, l.half,
       l.state, l.proves_from AS starts,
       coalesce(held.ends, l.proves_to, '9999-12-31'::date) AS ends,
       l.occurrence, l.occurrence_ends, l.known_from,
       CASE WHEN lower(held.days) > l.proves_from THEN lower(held.days)
            ELSE '0001-01-01'::date END AS holds_from,
       coalesce(upper(held.days), '9999-12-31'::date) AS holds_until
  FROM evidence_evidencelink AS l
  LEFT JOIN evidence_evidencerequirement AS r ON r.id = l.requirement_id
  LEFT JOIN LATERAL (
    SELECT t.days, carried.ends {_TERMS_OF_LINK}
     WHERE t.ask_id = r.ask_id
       AND (upper_inf(t.days) OR upper(t.days) > l.proves_from)) AS held ON TRUE
 WHERE l.state IN ('submitted', 'accepted', 'rejected')
"""
COLUMNS = """system_id, implementation_id, requirement_id, link_id, half, state, starts,
       ends, occurrence, occurrence_ends, known_from, holds_from, holds_until"""
OPEN = f"INSERT INTO evidence_proof ({COLUMNS}) {ROWS_BY_LINK} AND l.id = ANY(%s)"

# Rejected links prove on no day: their rows say only since when they are rejected.
CLOSE_FROM_DAY = """
UPDATE evidence_proof AS p SET known_until = %(known_from)s
  FROM evidence_evidencerequirement AS r
 WHERE r.id = p.requirement_id AND r.ask_id = %(ask)s AND p.known_until IS NULL
   AND p.holds_until > %(first_day)s AND p.state IN ('submitted', 'accepted')
RETURNING p.id
"""

# What was closed: the days before `first_day` as they were, those from it on anew.
OPEN_FROM_DAY = f"""
INSERT INTO evidence_proof ({COLUMNS})
SELECT p.system_id, p.implementation_id, p.requirement_id, p.link_id, p.half, p.state,
       p.starts, p.ends, p.occurrence, p.occurrence_ends, %(known_from)s,
       p.holds_from, %(first_day)s
  FROM evidence_proof AS p
 WHERE p.id = ANY(%(closed)s) AND p.holds_from < %(first_day)s
UNION ALL
SELECT l.system_id, l.implementation_id, l.requirement_id, l.id, l.half, l.state,
       l.proves_from, held.ends, l.occurrence, l.occurrence_ends, %(known_from)s,
       greatest(lower(held.days), %(first_day)s),
       coalesce(upper(held.days), '9999-12-31'::date)
  FROM evidence_evidencelink AS l
 CROSS JOIN LATERAL (
    SELECT t.days, carried.ends {_TERMS_OF_LINK}
     WHERE t.ask_id = %(ask)s
       AND (upper_inf(t.days) OR upper(t.days) > %(first_day)s)) AS held
 WHERE l.id IN (SELECT link_id FROM evidence_proof WHERE id = ANY(%(closed)s))
"""


class Proof(models.Model):
    """One link's claim on a half, on `starts` .. `ends` inclusive; 9999-12-31: no end.

    `ends` is right for days asked about from `holds_from` until `holds_until`
    (exclusive): a change of terms writes another end for the days from it on. Rows are
    closed (`known_until`), never deleted; the open ones are today's knowledge.
    """

    system = models.ForeignKey(System, models.PROTECT, related_name="+")
    implementation = models.ForeignKey(
        ControlImplementation, models.PROTECT, related_name="proofs"
    )
    # null: supplementary
    requirement = models.ForeignKey(
        RequirementControl,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,  # proof_by_requirement begins with it
    )
    link = models.ForeignKey(EvidenceLink, models.PROTECT, related_name="proofs")
    half = models.CharField(max_length=10, choices=Half)
    state = models.CharField(max_length=10)
    starts = models.DateField()
    ends = models.DateField()
    # null: yearly, once, per event
    occurrence = models.DateField(null=True)
    # last day of that period; null as in EvidenceLink
    occurrence_ends = models.DateField(null=True)
    holds_from = models.DateField(
        default=dt.date.min, db_default=models.Value(dt.date.min)
    )
    holds_until = models.DateField(
        default=dt.date.max, db_default=models.Value(dt.date.max)
    )
    known_from = models.DateTimeField()
    # null: still what is known
    known_until = models.DateTimeField(null=True)

    objects = ProofQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["link", "holds_from"],
                condition=Q(known_until=None),
                name="proof_one_current_row_per_link_and_day",
            ),
            models.CheckConstraint(
                name="proof_holds_on_a_day",
                condition=Q(holds_from__lt=models.F("holds_until")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["system", "implementation", "half"],
                include=["state", "starts", "ends"],
                condition=Q(known_until=None),
                name="proof_current",
            ),
            models.Index(
                models.F("requirement"),
                models.F("half"),
                models.F("state"),
                models.F("ends").desc(),
                models.F("starts").desc(),
                models.F("link").desc(),
                include=[
                    "known_from",
                    "known_until",
                    "occurrence",
                    "implementation",
                    "holds_from",
                    "holds_until",
                    "occurrence_ends",
                ],
                name="proof_by_requirement",
            ),
            models.Index(  # answers to one period of a window
                fields=["requirement", "occurrence", "starts", "link"],
                include=[
                    "ends",
                    "occurrence_ends",
                    "known_from",
                    "known_until",
                    "holds_from",
                    "holds_until",
                ],
                condition=Q(half="customer", state="accepted"),
                name="proof_by_occurrence",
            ),
            models.Index(
                models.F("implementation"),
                models.F("half"),
                models.F("state"),
                models.F("ends").desc(),
                include=["starts", "known_from", "known_until", "requirement"],
                name="proof_by_end",
            ),
            models.Index(  # the newest evidence of a control
                models.F("implementation"),
                models.F("starts").desc(),
                models.F("link").desc(),
                name="proof_newest_of_control",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.starts}..{self.ends}"
