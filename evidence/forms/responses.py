"""A response to an item, as people type it."""

from __future__ import annotations

from typing import Any

from django import forms

from controls.base_form import Form
from evidence.forms.controls import OneGoSelect
from evidence.forms.narrowing import NarrowedByControl
from evidence.forms.reasons import ReasonField
from evidence.models.responses import MAX_OWNER, ItemKind
from evidence.models.reviews import ReviewDecision


def _text(label: str, *, required: bool = True, help_text: str = "") -> ReasonField:
    area = forms.Textarea(attrs={"rows": 3})
    options: dict[str, Any] = {"required": required, "help_text": help_text}
    return ReasonField(label=label, widget=area, **options)


ANSWERS = [
    ("", "Any response"),
    ("open", "Not answered, or not all of it"),
    ("waiting", "Waits for a second person"),
    ("answered", "Answered"),
]


class ItemFilter(NarrowedByControl):
    """Narrow the list of what is to be answered."""

    kind = forms.ChoiceField(
        label="What",
        required=False,
        choices=[("", "Anything"), *ItemKind.choices],
        widget=OneGoSelect,
    )
    answer = forms.ChoiceField(
        label="Response", required=False, choices=ANSWERS, widget=OneGoSelect
    )


class ResponseForm(Form):
    """Cause, effect, what was done, what stands in for it, and who answers for that."""

    cause = _text("Cause")
    effect = _text("Effect", help_text="What it meant, and how you know.")
    measures = _text("What was done")
    compensating = _text(
        "What stands in for it",
        required=False,
        help_text="Other evidence for these days, and where it is kept.",
    )
    owner = forms.CharField(label="Who answers for it", max_length=MAX_OWNER)
    # what was counted when the page was opened; nothing more is answered unread
    seen = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)


class ResponseDecisionForm(Form):
    """Whether it stands beside the item."""

    decision = forms.ChoiceField(choices=ReviewDecision)
    reason = ReasonField(required=False)
