"""The filters of the control list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from controls.base_form import Form
from controls.models import ImplementationStatus
from evidence.charts import PROVEN, RESULTS
from evidence.status.criteria import numbers_among

Rows = Sequence[Mapping[str, Any]]
CLASSES = [
    ("", "Any class"),
    ("inherited", "Inherited"),
    ("shared", "Shared"),
    ("customer", "Customer"),
    ("none", "No such layer"),
    ("unclassified", "Unclassified"),
]
VERDICTS = [
    ("", "Any verdict"),
    ("proven", "Proven"),
    *((f"proven-{code}", title) for code, title, _ in PROVEN),
    ("partly", "Partly"),
    ("unproven", "Unproven"),
    ("not_applicable", "Not applicable"),
    ("complete", "Over the window: complete"),
    *((code, f"Over the window: {title.lower()}") for code, title, _ in RESULTS),
]


ORDERS = [
    ("", "The catalog"),
    ("verdict", "Verdict, unproven first"),
    ("class", "Class, unclassified first"),
    ("status", "Status, not stated first"),
    ("owner", "Owner, nobody first"),
]


SELECTED = SafeString(" selected")


class OneGoSelect(forms.Select):
    """A drop-down written in one go; without groups, of which one is chosen.

    Django's own renders three templates for each option: a fifth of the whole page
    where a list of 100 controls has forty choices above it.
    """

    def render(
        self, name: str, value: Any, attrs: Any = None, renderer: Any = None
    ) -> SafeString:
        """The element, with what is chosen marked."""
        chosen = set(self.format_value(value))
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            (
                (code, SELECTED if str(code) in chosen else "", label)
                for code, label in self.choices
            ),
        )
        shown = flatatt({"name": name, **self.build_attrs(self.attrs, attrs)})
        return format_html("<select{}>{}</select>", shown, options)


class ControlFilter(Form):
    """Narrow the list; choices are those that the system's controls have."""

    q = forms.CharField(
        label="Control",
        required=False,
        widget=forms.TextInput(
            attrs={"placeholder": "AC-2(1), CC6.1 or words of its title"}
        ),
    )
    family = forms.ChoiceField(label="Family", required=False, widget=OneGoSelect)
    responsibility = forms.ChoiceField(
        label="Class", required=False, choices=CLASSES, widget=OneGoSelect
    )
    verdict = forms.ChoiceField(
        label="Verdict", required=False, choices=VERDICTS, widget=OneGoSelect
    )
    status = forms.ChoiceField(
        label="Status",
        required=False,
        choices=[("", "Any status"), *ImplementationStatus.choices],
        widget=OneGoSelect,
    )
    team = forms.ChoiceField(label="Owner", required=False, widget=OneGoSelect)
    sort = forms.ChoiceField(
        label="Sort by", required=False, choices=ORDERS, widget=OneGoSelect
    )
    number = forms.ChoiceField(
        label="Regime's number", required=False, widget=OneGoSelect
    )

    def __init__(self, *args: Any, rows: Rows, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        families = sorted({row["family"] for row in rows})
        teams = sorted({row["owner"] or "" for row in rows} - {""})
        self._choices("family", "Any family", [(f, f.upper()) for f in families])
        self._choices("team", "Any owner", [(team, team) for team in teams])
        numbers = numbers_among(rows)
        self._choices("number", "Any number", [(number, number) for number in numbers])
        if not numbers:
            del self.fields["number"]

    def _choices(self, name: str, anything: str, pairs: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        field.choices = [("", anything), *pairs]  # type: ignore[attr-defined]

    def filters(self) -> dict[str, str]:
        """The filters that make sense; a choice nobody has is left out."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    def words(self) -> list[str]:
        """What is filtered by, as the form names it: “SI”, “Partly”; not the order."""
        words = []
        for name, value in self.filters().items():
            choices = dict(getattr(self.fields[name], "choices", ()))
            if name != "sort":
                words.append(str(choices.get(value, f"“{value}”")))
        return words
