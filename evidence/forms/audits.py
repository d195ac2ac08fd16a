"""What an auditor types: the filters of the table, a mark, a result of one event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from controls.base_form import Form
from controls.errors import Refused
from controls.models import ControlImplementation
from evidence.charts import RESULTS
from evidence.engagements.item_results import ResultDraft
from evidence.engagements.marks import MarkDraft, SeenState
from evidence.forms.controls import CLASSES, OneGoSelect
from evidence.forms.reasons import ReasonField
from evidence.models import ControlMark, TestedItem
from evidence.models.marks import (
    MAX_REFERENCE,
    AssessmentMethod,
    ItemResult,
    MarkState,
)
from evidence.status.criteria import numbers_among

MAX_VERSION_DIGITS = 9
NOTE = forms.Textarea(attrs={"rows": 3})
RESULT_CHOICES = [
    ("", "Any result"),
    ("complete", "Complete"),
    *((code, title) for code, title, _ in RESULTS if "-" not in code),
]


class TableFilter(Form):
    """Narrow the auditor's table."""

    number = forms.ChoiceField(label="Criterion", required=False, widget=OneGoSelect)
    q = forms.CharField(
        label="Control",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"placeholder": "AC-2"}),
    )
    responsibility = forms.ChoiceField(
        label="Class", required=False, choices=CLASSES, widget=OneGoSelect
    )
    result = forms.ChoiceField(
        label="Window", required=False, choices=RESULT_CHOICES, widget=OneGoSelect
    )
    mark = forms.ChoiceField(
        label="Mark",
        required=False,
        choices=[("", "Any"), *MarkState.choices],
        widget=OneGoSelect,
    )

    def __init__(self, *args: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(*args)
        numbers = numbers_among(rows)
        choices = [("", "Any"), *((number, number) for number in numbers)]
        self.fields["number"].choices = choices  # type: ignore[attr-defined]
        if not numbers:
            del self.fields["number"]

    def filters(self) -> dict[str, str]:
        """What was chosen and is a choice, by name; without what is empty."""
        self.is_valid()
        return {name: text for name, text in self.cleaned_data.items() if text}


class MarkForm(Form):
    """What an auditor says of one control."""

    state = forms.ChoiceField(
        label="State", choices=MarkState, widget=forms.RadioSelect
    )
    methods = forms.MultipleChoiceField(
        label="How you looked at it",
        choices=AssessmentMethod,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    reference = forms.CharField(
        label="Your reference",
        max_length=MAX_REFERENCE,
        required=False,
        help_text="Such as the number of your working paper.",
    )
    note = ReasonField(label="Note", required=False, widget=NOTE)
    version = forms.IntegerField(widget=forms.HiddenInput)

    @classmethod
    def about(cls, mark: ControlMark | None) -> MarkForm:
        """Filled in with what stands there."""
        if mark is None:
            return cls(initial={"state": MarkState.NOT_STARTED, "version": 0})
        names = ("state", "methods", "reference", "note", "version")
        return cls(initial={name: getattr(mark, name) for name in names})

    def draft(self) -> MarkDraft:
        """What was typed."""
        typed = self.cleaned_data
        return MarkDraft(
            typed["state"], tuple(typed["methods"]), typed["reference"], typed["note"]
        )


@dataclass(frozen=True)
class ResultTyped:
    """What was typed of one sampled event, beside what the page had shown of it."""

    result: str
    note: str
    seen_result: str
    seen_note: str
    version: int

    @property
    def changed(self) -> bool:
        """Whether it is other than the page had shown."""
        typed = (self.result, self.note)
        return typed != (self.seen_result, self.seen_note)

    @classmethod
    def of(cls, tested: TestedItem | None) -> ResultTyped:
        """As a page shows what is recorded of an event."""
        if tested is None:
            return cls("", "", "", "", 0)
        result, note = tested.result, tested.note
        return cls(result, note, result, note, tested.version)

    def draft(self, key: str) -> ResultDraft:
        """The result to record. Raises Refused, naming the event by its key."""
        if self.result not in ItemResult.values:
            raise Refused(f"{key}: choose a result.")
        note = ReasonField(required=False).clean(self.note)
        return ResultDraft(self.result, note, self.version)


def result_typed(typed: Mapping[str, str], uuid: Any) -> ResultTyped | None:
    """What a form of several events holds of one: `result-`, `note-` and `seen-` with
    its uuid, the latter as version, result and note; None where it holds nothing."""
    seen = typed.get(f"seen-{uuid}", "").split("|", 2)
    if len(seen) != 3 or not seen[0].isdecimal() or len(seen[0]) > MAX_VERSION_DIGITS:
        return None
    result = typed.get(f"result-{uuid}", "")
    note = typed.get(f"note-{uuid}", "").strip()
    return ResultTyped(result, note, seen[1], seen[2].strip(), int(seen[0]))


def states_typed(
    typed: Mapping[str, str], controls: Sequence[ControlImplementation]
) -> dict[ControlImplementation, SeenState]:
    """The states of a table that a person changed, each with the version it was
    chosen on.

    Fields are `state-` and `seen-` with the control's id; the latter holds the state
    and the version that were shown.
    What is no state or was not changed is left out.
    """
    changed = {}
    for control in controls:
        state = typed.get(f"state-{control.control.ref_id}", "")
        before, _, version = typed.get(f"seen-{control.control.ref_id}", "").partition(
            ":"
        )
        known = version.isdecimal() and len(version) <= MAX_VERSION_DIGITS
        if state != before and state in MarkState.values and known:
            changed[control] = SeenState(state, int(version))
    return changed
