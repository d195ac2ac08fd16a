"""Where links stand, and which of them a person may read or decide."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Self

from django.db import models
from django.db.models import Exists, OuterRef

from controls.models import Actor, Role, System
from evidence.models.authors import (
    authors_of_files,
    authors_of_revisions,
    had_a_hand,
)
from evidence.models.files import EvidenceFile
from evidence.models.keys import among
from evidence.models.revisions import MAX_COMMON_BYTES, EvidenceRevision


class Half(models.TextChoices):
    """Whose part of a control a link proves."""

    CUSTOMER = "customer", "Yours"
    AWS = "aws", "AWS's"


class LinkState(models.TextChoices):
    """Where one link stands. `lapsed` is computed from dates, never stored."""

    DRAFT = "draft", "Draft"
    SUBMITTED = "submitted", "Submitted"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"
    VOID = "void", "Void (corrected)"


class EvidenceLinkQuerySet(models.QuerySet[Any]):
    """What proves what."""

    def visible_to(self, user: Actor) -> Self:
        """Links of the systems the user may read (status and titles, not bytes)."""
        return self.filter(system__in=System.objects.visible_to(user))

    def awaiting_review(self) -> Self:
        """Submitted and undecided, oldest first."""
        return self.filter(state=LinkState.SUBMITTED).order_by("submitted_at", "pk")

    def reviewable_by(self, user: Actor) -> Self:
        """What this person may decide: independent of it, in systems they review.

        Asks first which systems those are: of people who review none nothing is read.
        """
        held = System.objects.held_as(user, [Role.REVIEWER, Role.OFFICER])
        reviewed = list(held.order_by().values_list("pk", flat=True))
        if not reviewed:
            return self.none()
        return self.filter(system__in=reviewed).independent_of(user)

    def independent_of(self, user: Actor) -> Self:
        """Links this person had no hand in (R17, R32).

        Neither submitted, uploaded nor collected any revision of the same evidence, nor
        brought one of the link's files to the same system, if that is larger than
        MAX_COMMON_BYTES. `authors_of` names the same people for many links.
        Asks first whether the person had a hand in anything: most reviewers had not.
        """
        if not had_a_hand(user):
            return self
        authored = EvidenceRevision.objects.by_author(user)
        files = EvidenceFile.objects.filter(
            revision=OuterRef("revision"), blob__size_bytes__gt=MAX_COMMON_BYTES
        )
        as_evidence = files.filter(
            blob__files__revision__in=authored,
            blob__files__revision__evidence__system=OuterRef("system"),
        )
        as_population = files.filter(
            blob__populations__drawn_by=user.pk,
            blob__populations__system=OuterRef("system"),
        )
        own = self.exclude(revision__evidence__in=authored.values("evidence"))
        return own.filter(~Exists(as_evidence), ~Exists(as_population))

    def authors_of(self) -> dict[int, set[int]]:
        """Keys of the people who may not review a link, by the link's key.

        In a constant number of statements, however many links there are.
        """
        columns = ("pk", "revision", "system", "revision__evidence")
        links = list(self.order_by().values_list(*columns))
        revisions: dict[int, set[int]] = defaultdict(set)
        brought = EvidenceRevision.objects.filter(
            evidence__in=among({evidence for *_, evidence in links})
        )
        for key, evidence in brought.order_by().values_list("pk", "evidence"):
            revisions[evidence].add(key)
        blobs: dict[int, set[int]] = defaultdict(set)
        attached = EvidenceFile.objects.filter(
            revision__in=among({revision for _, revision, *_ in links})
        )
        for key, blob in attached.order_by().values_list("revision", "blob"):
            blobs[key].add(blob)
        of_revision = authors_of_revisions(set().union(*revisions.values()))
        of_file = authors_of_files(
            {(blob, system) for _, key, system, _ in links for blob in blobs[key]},
            known=of_revision,
        )
        authors: dict[int, set[int]] = {}
        for link, revision, system, evidence in links:
            hands = [of_revision[key] for key in revisions[evidence]]
            hands += [of_file[blob, system] for blob in blobs[revision]]
            authors[link] = set().union(*hands)
        return authors

    def locked(self) -> Self:
        """Locked in the order of their keys, with all that a step reads."""
        return (
            self.select_for_update(of=("self",))
            .select_related("revision__evidence", "implementation__control", "system")
            .order_by("pk")
        )

    def for_listing(self) -> Self:
        """With all that a row shows."""
        return self.select_related(
            "revision__evidence__team",
            "implementation__control",
            "requirement",
            "sample_item__item",
            "submitted_by",
            "system",
        )
