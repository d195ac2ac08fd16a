"""Who had a hand in revisions and in files, for the rules of independence (R17, R32).

Asked step by step by keys, in a constant number of statements: as one statement the
tables are joined badly while many rows of one transaction are new to the planner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from django.db.models import Exists, Q

from controls.models import Actor, User
from evidence.models.files import EvidenceFile
from evidence.models.keys import among
from evidence.models.revisions import MAX_COMMON_BYTES, EvidenceRevision

# Keys of people; of a blob and a system it was brought to.
People = Mapping[int, set[int]]
Place = tuple[int, int]

LARGE = Q(blob__size_bytes__gt=MAX_COMMON_BYTES)


def authors_of_revisions(revisions: Collection[int]) -> People:
    """Who uploaded or collected a revision or submitted it for a control, by its key.

    In two statements, or none. The answer holds an empty set for every other key.
    """
    from evidence.models.links import EvidenceLink

    authors: dict[int, set[int]] = defaultdict(set)
    if not revisions:
        return authors
    brought = EvidenceRevision.objects.filter(pk__in=among(revisions)).order_by()
    for revision, *people in brought.values_list("pk", "uploaded_by", "collected_by"):
        authors[revision].update(filter(None, people))
    links = EvidenceLink.objects.filter(revision__in=among(revisions)).order_by()
    for revision, submitter in links.values_list("revision", "submitted_by"):
        authors[revision].add(submitter)
    return authors


def had_a_hand(user: Actor) -> bool:
    """Whether the person is author of any revision or drew any population."""
    from evidence.models.links import EvidenceLink
    from evidence.models.populations import Population

    brought = (
        EvidenceRevision.objects.filter(uploaded_by=user.pk),
        EvidenceRevision.objects.filter(collected_by=user.pk),
        EvidenceLink.objects.filter(submitted_by=user.pk),
        Population.objects.filter(drawn_by=user.pk),
    )
    any_of_them = Q()
    for rows in brought:
        any_of_them |= Q(Exists(rows))
    return User.objects.filter(any_of_them, pk=user.pk).exists()


def authors_of_files(
    places: Collection[Place], *, known: People
) -> Mapping[Place, set[int]]:
    """Who brought the bytes of a blob to a system, as evidence or as population.

    Nobody where they are MAX_COMMON_BYTES at most. `known` are authors of revisions
    that are not asked for again: most files were brought once. In five statements,
    or none.
    """
    from evidence.models.populations import Population

    authors: dict[Place, set[int]] = defaultdict(set)
    if not places:
        return authors
    blobs = among({blob for blob, _ in places})
    systems = {system for _, system in places}
    drawn = Population.objects.filter(LARGE, blob__in=blobs, system__in=systems)
    for blob, system, person in drawn.order_by().values_list(
        "blob", "system", "drawn_by"
    ):
        authors[blob, system].add(person)
    files = EvidenceFile.objects.filter(LARGE, blob__in=blobs).order_by()
    blobs_of = defaultdict(set)
    for revision, blob in files.values_list("revision", "blob"):
        blobs_of[revision].add(blob)
    revisions = EvidenceRevision.objects.filter(
        pk__in=among(blobs_of), evidence__system__in=systems
    )
    system_of = dict(revisions.order_by().values_list("pk", "evidence__system"))
    people = authors_of_revisions(system_of.keys() - known.keys())
    for revision, system in system_of.items():
        for blob in blobs_of[revision]:
            authors[blob, system] |= known.get(revision) or people[revision]
    return authors
