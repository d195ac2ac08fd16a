"""What status reads: which link counts for which half on which days, since when."""

from __future__ import annotations

from django.db import connection, models
from django.db.models import Q

from controls.models import ControlImplementation, System
from evidence.models.links import EvidenceLink, Half
from evidence.models.requirements import RequirementControl


class ProofQuerySet(models.QuerySet["Proof"]):
    """Kept in step with the links by the links' own methods."""

    def follow(self, link: EvidenceLink) -> None:
        """Close the link's current row and open one with its state of now."""
        self.follow_all([link.pk])

    def follow_all(self, link_pks: list[int]) -> None:
        """The same for many links, in two statements."""
        with connection.cursor() as cursor:
            cursor.execute(CLOSE, [link_pks])
            cursor.execute(OPEN, [link_pks])


CLOSE = """
UPDATE evidence_proof AS p SET known_until = l.known_from
  FROM evidence_evidencelink AS l
 WHERE p.link_id = l.id AND p.known_until IS NULL AND l.id = ANY(%s)
"""

OPEN = """
INSERT INTO evidence_proof (system_id, implementation_id, requirement_id, link_id,
       half, state, starts, ends, occurrence, known_from)
SELECT l.system_id, l.implementation_id, l.requirement_id, l.id, l.half, l.state,
       l.proves_from, coalesce(l.proves_to, '9999-12-31'::date), l.occurrence,
       l.known_from
  FROM evidence_evidencelink AS l
 WHERE l.id = ANY(%s) AND l.state IN ('submitted', 'accepted', 'rejected')
"""


class Proof(models.Model):
    """One link's claim on a half, on `starts` .. `ends` inclusive; 9999-12-31: no end.

    Rows are closed (`known_until`), never deleted; the open ones are today's
    knowledge.
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
    known_from = models.DateTimeField()
    # null: still what is known
    known_until = models.DateTimeField(null=True)

    objects = ProofQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["link"],
                condition=Q(known_until=None),
                name="proof_one_current_row_per_link",
            )
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
                include=["known_from", "known_until", "occurrence", "implementation"],
                name="proof_by_requirement",
            ),
            models.Index(
                models.F("implementation"),
                models.F("half"),
                models.F("state"),
                models.F("ends").desc(),
                include=["starts", "known_from", "known_until", "requirement"],
                name="proof_by_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.starts}..{self.ends}"
