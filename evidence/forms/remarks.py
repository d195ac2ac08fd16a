"""What a report says that a system has to answer, and the answer, as people type it."""

from __future__ import annotations

from typing import Any

from django import forms

from controls.base_form import Form
from controls.control_ids import typed_ids
from controls.display_names import LAYERS
from evidence.artifacts.remark_answers import CHOICES
from evidence.forms.artifacts import OWN_WORDS
from evidence.forms.reasons import ReasonField
from evidence.models import RemarkChoice, RemarkKind, ReportRemark
from evidence.models.remarks import MAX_REMARK
from evidence.models.reviews import ReviewDecision


class RemarkForm(Form):
    """One thing that a report says, in own words."""

    kind = forms.ChoiceField(label="What it is", choices=RemarkKind)
    title = forms.CharField(
        label="Name or number",
        max_length=120,
        help_text=(
            "Of a subservice organisation its name, as its own reports bear it; else a"
            " number to find it again."
        ),
    )
    text = forms.CharField(
        label="What it says",
        required=False,
        max_length=MAX_REMARK,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=OWN_WORDS,
    )
    layers = forms.MultipleChoiceField(
        label="Of a subservice organisation: what it runs",
        required=False,
        choices=list(LAYERS.items()),
        widget=forms.CheckboxSelectMultiple,
    )
    control_ids = forms.CharField(
        label="Else: the controls that it touches",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Ids such as MP-6, AC-2(1), separated by commas.",
    )

    def clean_control_ids(self) -> list[str]:
        """The ids as catalogs write them."""
        return typed_ids(self.cleaned_data["control_ids"])


class RemarkAnswerForm(Form):
    """What a system makes of it; a second person decides."""

    choice = forms.ChoiceField(label="Answer", widget=forms.RadioSelect)
    text = ReasonField(
        label="Why, or what we do about it",
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, remark: ReportRemark, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["choice"]
        allowed = CHOICES.get(RemarkKind(remark.kind), ())
        field.choices = [  # type: ignore[attr-defined]
            (choice.value, choice.label) for choice in RemarkChoice if choice in allowed
        ]
        field.initial = allowed[0] if len(allowed) == 1 else None


class RemarkDecisionForm(Form):
    """Whether an answer counts."""

    decision = forms.ChoiceField(choices=ReviewDecision)
    reason = ReasonField(required=False)
