"""What one may see of controls, evidence, reports and requests, by id or words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import (
    Case,
    Exists,
    IntegerField,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)

from controls.control_ids import normalised_id
from controls.models import Actor, ControlImplementation, CrosswalkNumber
from evidence.models import Artifact, Evidence, EvidenceRequest

MAX_TEXT = 100  # characters
MAX_SHOWN = 25  # of a kind
M = TypeVar("M", bound=Model)
HEX = frozenset("0123456789abcdef")
MIN_DIGEST = 8  # characters of one that are enough to mean it


@dataclass(frozen=True)
class Matches:
    """The first rows of each kind; one more than `MAX_SHOWN` where there are more."""

    controls: list[ControlImplementation]
    evidence: list[Evidence]
    artifacts: list[Artifact]
    requests: list[EvidenceRequest]

    @property
    def count(self) -> int:
        """How many are shown."""
        kinds: tuple[list[Any], ...] = (
            self.controls,
            self.evidence,
            self.artifacts,
            self.requests,
        )
        return sum(min(len(rows), MAX_SHOWN) for rows in kinds)

    @property
    def cut(self) -> bool:
        """Whether some kind has more than is shown."""
        kinds: tuple[list[Any], ...] = (
            self.controls,
            self.evidence,
            self.artifacts,
            self.requests,
        )
        return any(len(rows) > MAX_SHOWN for rows in kinds)


def search(user: Actor, text: str) -> Matches:
    """What an id or words mean among what the person may see; four statements.

    A control whose id was typed comes first, then its enhancements, then those beside a
    regime's own number (CC6.1); words are looked for in titles, and in the sentence
    that says what a control asks. Evidence is found by the first characters of its
    digest too, a request by its number. Nothing is found for an empty text.
    """
    words = text.strip()[:MAX_TEXT]
    if not words:
        return Matches([], [], [], [])
    requests = EvidenceRequest.objects.visible_to(user)
    return Matches(
        controls=_first(_controls(user, words)),
        evidence=_first(_evidence(user, words)),
        artifacts=_first(
            Artifact.objects.visible_to(user)
            .filter(Q(title__icontains=words) | Q(versions__label__icontains=words))
            .distinct()
            .order_by("title", "pk")
        ),
        requests=_first(
            requests.filter(Q(title__icontains=words) | Q(number__iexact=words))
            .select_related("system")
            .order_by("-pk")
        ),
    )


def _first(rows: QuerySet[M]) -> list[M]:
    return list(rows[: MAX_SHOWN + 1])


def _controls(user: Actor, words: str) -> QuerySet[ControlImplementation]:
    mine = ControlImplementation.objects.visible_to(user).select_related(
        "system", "control"
    )
    ref_id = normalised_id(words)
    if ref_id:
        named = Q(control__ref_id=ref_id) | Q(control__ref_id__startswith=f"{ref_id}.")
        first = When(control__ref_id=ref_id, then=Value(0))
    else:
        named = (
            Q(control__label__istartswith=words)
            | Q(control__title__icontains=words)
            | Q(control__summary__icontains=words)
        )
        first = When(control__title__icontains=words, then=Value(0))
    numbered = CrosswalkNumber.objects.filter(
        implementation=OuterRef("pk"), number__iexact=words, crosswalk__ended_on=None
    )
    named |= Q(Exists(numbered))
    closeness = Case(first, default=Value(1), output_field=IntegerField())
    return (
        mine.filter(named)
        .annotate(closeness=closeness)
        .order_by("closeness", "control__sort_order", "system__name", "pk")
    )


def _evidence(user: Actor, words: str) -> QuerySet[Evidence]:
    named = Q(title__icontains=words)
    digits = words.lower()
    if len(digits) >= MIN_DIGEST and set(digits) <= HEX:
        named |= Q(revisions__digest__startswith=digits)
    mine = Evidence.objects.visible_to(user).select_related("system")
    return mine.filter(named).distinct().order_by("-pk")
