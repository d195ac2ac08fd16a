"""What a reviewer says about one link, about many, and about the day of late ones."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.text import normalize_newlines

from controls.base_form import Form
from controls.errors import Refused
from evidence.forms.reasons import ReasonField
from evidence.models import EvidenceLink
from evidence.models.confirmed_days import NOT_CONFIRMED, DayConfirmation
from evidence.reviews.decide import Decision
from evidence.reviews.desk import WaitingLink
from evidence.reviews.late_recording import LateRecording

MAX_DIGITS = 10  # of a version
ANSWER_THE_DAY = "Say whether the evidence itself shows the day it was performed."


def day_answer(data: Mapping[str, Any], suffix: str = "") -> DayConfirmation | None:
    """What was said of the day in fields `day_confirmed` and `day_shown_by`.

    `suffix` follows the names of both. None where neither yes nor no was chosen.
    """
    answer = data.get(f"day_confirmed{suffix}", "")
    if answer not in {"yes", "no"}:
        return None
    shown_by = normalize_newlines(data.get(f"day_shown_by{suffix}", ""))
    return DayConfirmation(answer == "yes", shown_by)


def required_day(
    data: Mapping[str, Any], recording: LateRecording | None
) -> DayConfirmation:
    """What was said of the day. Raises Refused where it is asked and not answered."""
    answer = day_answer(data)
    if recording is not None and answer is None:
        raise Refused({"day_confirmed": ANSWER_THE_DAY})
    return answer or NOT_CONFIRMED


class DecisionForm(Form):
    """A reason, and which version of the link was on the screen."""

    reason = ReasonField(required=False)
    version = forms.IntegerField(required=False, min_value=1)

    def seen(self) -> tuple[str, int | None]:
        """Reason and version; a version that cannot be read counts as not given.

        Raises Refused for a reason that is too long.
        """
        self.is_valid()
        if "reason" in self.errors:
            raise Refused({"reason": list(self.errors["reason"])})
        return (
            self.cleaned_data.get("reason", ""),
            self.cleaned_data.get("version"),
        )


def version_number(text: str) -> int | None:
    """A version as a form sends it; None for what is none, or longer than any."""
    return int(text) if text.isdecimal() and len(text) <= MAX_DIGITS else None


@dataclass(frozen=True)
class DecisionRow:
    """One waiting link with what the reviewer has typed so far."""

    waiting: WaitingLink
    choice: str
    reason: str
    error: str
    day: DayConfirmation | None
    complete: bool

    @property
    def link(self) -> EvidenceLink:
        """The link to decide."""
        return self.waiting.link

    @property
    def recording(self) -> LateRecording | None:
        """How late it was recorded, where its day is asked about."""
        return self.waiting.counts.recording

    @property
    def suffix(self) -> str:
        """What follows the names of its fields."""
        return f"-{self.link.uuid}"


class DecisionsForm:
    """Fields `decision-<uuid>`, `reason-<uuid>`, `version-<uuid>` for each link.

    Those recorded late have `day_confirmed-<uuid>` and `day_shown_by-<uuid>` as well.
    """

    def __init__(self, data: Any) -> None:
        self.data: Any = data or {}
        self.is_bound = data is not None
        self.decisions = [
            decision
            for name, values in self._named()
            for value in values
            if (decision := self._decision(name, value))
        ]

    def _named(self) -> list[tuple[str, list[str]]]:
        """Each field of a decision with all its values: one may be sent twice."""
        fields = self.data.lists() if self.data else ()
        return [
            (name, values) for name, values in fields if name.startswith("decision-")
        ]

    def _decision(self, name: str, decision: str) -> Decision | None:
        """What was said about one link; what cannot be read counts as nothing."""
        key = name.removeprefix("decision-")
        try:
            link = uuid.UUID(key)
        except ValueError:
            return None
        if decision not in {"accept", "reject"}:
            return None
        version = self.data.get(f"version-{key}", "")
        return Decision(
            link=link,
            accept=decision == "accept",
            reason=normalize_newlines(self.data.get(f"reason-{key}", "")),
            version=version_number(version),
            day=day_answer(self.data, f"-{key}") or NOT_CONFIRMED,
            complete=f"complete-{key}" in self.data,
        )

    def unanswered(
        self, recordings: Mapping[uuid.UUID, LateRecording]
    ) -> dict[uuid.UUID, str]:
        """Links to accept whose day is asked about and was not answered."""
        return {
            decision.link: ANSWER_THE_DAY
            for decision in self.decisions
            if decision.accept
            and decision.link in recordings
            and day_answer(self.data, f"-{decision.link}") is None
        }

    def row(
        self, waiting: WaitingLink, errors: Mapping[uuid.UUID, str], accept: bool
    ) -> DecisionRow:
        """A link as the page shows it, nothing typed lost.

        With `accept` it is ticked to be accepted, unless its day is asked about or one
        of its files is flagged.
        """
        link = waiting.link
        key = str(link.uuid)
        flagged = any(file.flags for file in link.revision.files.all())
        ticked = "accept" if accept and not flagged else ""
        if waiting.counts.recording:
            ticked = ""
        return DecisionRow(
            waiting,
            self.data.get(f"decision-{key}", ticked),
            self.data.get(f"reason-{key}", ""),
            errors.get(link.uuid, ""),
            day_answer(self.data, f"-{key}"),
            f"complete-{key}" in self.data,
        )
