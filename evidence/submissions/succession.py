"""What a new revision continues of the earlier ones, link by link (R17)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from controls.errors import TransitionNotAllowed
from evidence.models import Evidence, EvidenceLink, LinkState

STANDING = frozenset({LinkState.SUBMITTED, LinkState.ACCEPTED})
REFUSED = frozenset({LinkState.REJECTED, LinkState.WITHDRAWN})
NOTHING_TO_CONTINUE = (
    "Nothing of this evidence can be continued: it is attached to no control, or all"
    " it was attached to is void. Upload it anew."
)


@dataclass(frozen=True)
class Succession:
    """What becomes of the links of evidence when a revision follows.

    The new revision gets a link for each of `submitted`, to be reviewed, and of
    `drafted`, to be handed over. A correction voids `replaced`; an addition does not.
    `untouched` are submitted or accepted and neither end nor get a successor.
    """

    submitted: tuple[EvidenceLink, ...]
    drafted: tuple[EvidenceLink, ...]
    replaced: tuple[EvidenceLink, ...]
    untouched: tuple[EvidenceLink, ...]

    def refuse_empty(self) -> None:
        """Raise TransitionNotAllowed where the revision would be without a link."""
        if not self.submitted and not self.drafted:
            raise TransitionNotAllowed(NOTHING_TO_CONTINUE)


def links_of(evidence: Evidence) -> QuerySet[EvidenceLink]:
    """The links of all revisions of evidence, oldest first."""
    return (
        EvidenceLink.objects.filter(revision__evidence=evidence)
        .select_related(
            "revision__evidence",
            "implementation__control",
            "implementation__system",
            "requirement",
            "sample_item__item",
            "system",
        )
        .order_by("pk")
    )


def succession_of(links: Iterable[EvidenceLink]) -> Succession:
    """What a revision continues of these links, which are in the order of their keys.

    The newest link for a control, requirement and sampled item says where it stands.
    If any was rejected or withdrawn, the revision answers those and leaves submitted
    and accepted ones; otherwise it renews those. What is a draft stays one.
    """
    histories = _histories(links)
    answers = any(history[-1].state in REFUSED for history in histories)
    submitted, drafted, replaced, untouched = [], [], [], []
    for history in histories:
        newest = history[-1]
        drafts = [link for link in history if link.state == LinkState.DRAFT]
        standing = [link for link in history if link.state in STANDING]
        replaced += drafts
        if answers:
            untouched += standing
        else:
            replaced += standing
        if newest.state in REFUSED or (standing and not answers):
            submitted.append(newest)
        elif drafts:
            drafted.append(newest)
    return Succession(
        tuple(submitted), tuple(drafted), tuple(replaced), tuple(untouched)
    )


def _histories(links: Iterable[EvidenceLink]) -> Sequence[list[EvidenceLink]]:
    """The links of each control, requirement and sampled item, oldest first."""
    by_claim: dict[tuple[int | None, ...], list[EvidenceLink]] = defaultdict(list)
    for link in links:
        claim = (link.implementation_id, link.requirement_id, link.sample_item_id)
        by_claim[claim].append(link)
    return list(by_claim.values())
