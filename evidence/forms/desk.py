"""What a reviewer says of one submission: of all its controls, in one act."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.text import normalize_newlines

from controls.base_form import Form
from controls.models import System, User
from evidence.forms.reviews import ANSWER_THE_DAY, day_answer, version_number
from evidence.models import EvidenceLink
from evidence.models.confirmed_days import NOT_CONFIRMED, DayConfirmation
from evidence.reviews.decide import Decision
from evidence.reviews.desk import WaitingLink, WaitingSubmission

REASONS_OFFERED = (
    "It is about another period.",
    "It shows no date.",
    "The list is not complete.",
    "A column is missing.",
    "It does not show which system it is from.",
    "It cannot be read.",
)


class DeskFilter(Form):
    """Which submissions to show: of a system, of a person, about a control or ask."""

    system = forms.ModelChoiceField(
        System.objects.none(),
        label="System",
        to_field_name="slug",
        required=False,
        empty_label="All systems",
    )
    by = forms.ModelChoiceField(
        User.objects.none(),
        label="Submitted by",
        required=False,
        empty_label="Everybody",
    )
    q = forms.CharField(label="Control or ask", max_length=100, required=False)

    def __init__(self, data: Any, *, waiting: QuerySet[EvidenceLink]) -> None:
        super().__init__(data)
        rows = waiting.order_by()
        systems = System.objects.filter(pk__in=rows.values("system"))
        people = User.objects.filter(pk__in=rows.values("submitted_by"))
        self.fields["system"].queryset = systems.order_by("name")  # type: ignore[attr-defined]
        self.fields["by"].queryset = people.order_by("name", "pk")  # type: ignore[attr-defined]

    def narrowing(self) -> dict[str, str]:
        """What `evidence.reviews.desk.waiting` narrows by; nonsense narrows nothing."""
        self.is_valid()
        system, by = (self.cleaned_data.get(name) for name in ("system", "by"))
        return {
            "system": system.slug if system else "",
            "by": str(by.pk) if by else "",
            "q": self.cleaned_data.get("q", ""),
        }


@dataclass(frozen=True)
class DeskRow:
    """One control on the form, with what the reviewer has ticked and typed so far."""

    waiting: WaitingLink
    accept: bool
    reason: str
    error: str

    @property
    def key(self) -> str:
        """What the names of its fields end with."""
        return str(self.waiting.link.uuid)


class SubmissionForm:
    """Fields `version-<link>`, `accept-<link>`, `reason-<link>` for each control.

    A control is accepted where its box is ticked and rejected where it is not; with
    `verdict=reject` all are rejected. `reason` holds for each control that has none of
    its own. `day_confirmed` and `day_shown_by` hold for all that were recorded late;
    `complete` is the tick for what was drawn from a system.
    """

    def __init__(self, data: Any = None) -> None:
        self.data: Mapping[str, Any] = data or {}
        self.is_bound = data is not None
        self.links = [
            link
            for name in self.data
            if name.startswith("version-") and (link := _uuid(name[len("version-") :]))
        ]
        self.reason = normalize_newlines(self.data.get("reason", ""))
        self.day: DayConfirmation | None = day_answer(self.data)
        self.complete = "complete" in self.data

    def decisions(self) -> list[Decision]:
        """What is said about each control that was on the screen."""
        return [self._decision(link) for link in self.links]

    def _decision(self, link: uuid.UUID) -> Decision:
        accept = self._accepts(link)
        own = normalize_newlines(self.data.get(f"reason-{link}", ""))
        return Decision(
            link=link,
            accept=accept,
            reason="" if accept and self._rejects_any() else own or self.reason,
            version=version_number(self.data.get(f"version-{link}", "")),
            day=(self.day if accept else None) or NOT_CONFIRMED,
            complete=self.complete,
        )

    def _accepts(self, link: uuid.UUID) -> bool:
        if self.data.get("verdict") == "reject":
            return False
        return bool(self.data.get(f"accept-{link}"))

    def _rejects_any(self) -> bool:
        return not all(self._accepts(link) for link in self.links)

    def unanswered(self, links: Iterable[WaitingLink]) -> str:
        """The question about the day where it is asked and not answered, else empty."""
        is_due = any(
            row.counts.recording and self._accepts(row.link.uuid) for row in links
        )
        return ANSWER_THE_DAY if is_due and self.day is None else ""

    def rows(
        self, submission: WaitingSubmission, refused: Mapping[uuid.UUID, str]
    ) -> list[DeskRow]:
        """The controls as the page shows them, nothing typed lost."""
        return [
            DeskRow(
                row,
                self._accepts(row.link.uuid) if self.is_bound else True,
                self.data.get(f"reason-{row.link.uuid}", ""),
                refused.get(row.link.uuid, ""),
            )
            for row in submission.links
        ]


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
