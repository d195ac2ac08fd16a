"""Populations, samples and deviations, as people type them."""

from __future__ import annotations

from typing import Any

from django import forms

from controls.base_form import Form
from controls.grammar import size_in_words
from evidence.forms.clocks import DayField
from evidence.forms.fields import day_input
from evidence.forms.reasons import ReasonField
from evidence.models import SampleMethod
from evidence.populations.event_list import EXAMPLE, MAX_BYTES, MAX_ROWS
from evidence.populations.populations import ENDS_BEFORE_IT_STARTS, PopulationStatement
from evidence.populations.selection import SelectionMethod, positions_of


class PopulationForm(Form):
    """All events of some days: where they come from, and the list of them."""

    starts = DayField(label="From", widget=day_input())
    ends = DayField(label="To (last day)", widget=day_input())
    source = forms.CharField(
        label="Source",
        max_length=200,
        help_text="The system that knows of every event, such as the ticket system.",
    )
    query = forms.CharField(
        label="Query",
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The exact query, report or filter, so that somebody else gets the"
        " same list.",
    )
    completeness = forms.CharField(
        label="Complete and accurate, because",
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="How you know that no event is missing and each is right: totals"
        " compared, numbers without gaps, a picture of the query.",
    )
    list = forms.FileField(
        label="The list",
        required=False,
        help_text=f"CSV or XLSX with the columns key and day and whatever else helps:"
        f" at most {MAX_ROWS:,} rows and {size_in_words(MAX_BYTES)}.",
    )
    pasted = forms.CharField(
        label="Or paste it",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": EXAMPLE}),
        help_text="The same as CSV, heading first.",
    )
    none_happened = forms.BooleanField(
        label="No event happened in these days", required=False
    )

    def clean(self) -> dict[str, Any]:
        """One list, or the word that there is none."""
        cleaned = super().clean() or {}
        if cleaned.get("list") and cleaned.get("pasted"):
            self.add_error("pasted", "Send a file or paste lines, not both.")
        if not (
            cleaned.get("list") or cleaned.get("pasted") or cleaned.get("none_happened")
        ):
            self.add_error("list", "Send the list, or say that no event happened.")
        starts, ends = cleaned.get("starts"), cleaned.get("ends")
        if starts and ends and ends < starts:
            # once, and not again for each of its events
            self.add_error("ends", ENDS_BEFORE_IT_STARTS)
        return cleaned

    def statement(self) -> PopulationStatement:
        """What the valid form says."""
        fields = {n: v for n, v in self.cleaned_data.items() if n not in LISTS}
        return PopulationStatement(**fields)


LISTS = {"list", "pasted"}


class PopulationDecisionForm(Form):
    """What a reviewer says of a population; `decision` is the button pressed."""

    reason = ReasonField(
        label="Reason",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Needed to reject or withdraw.",
    )


class SampleForm(Form):
    """How to draw a sample."""

    method = forms.ChoiceField(label="How", choices=SampleMethod.choices)
    size = forms.IntegerField(label="How many (at random)", required=False, min_value=1)
    seed = forms.CharField(
        label="Seed (at random)",
        required=False,
        max_length=100,
        help_text="Empty: one is made. It is recorded, so that anybody can draw the"
        " same items again.",
    )
    every = forms.IntegerField(label="Every nth: n", required=False, min_value=1)
    first = forms.IntegerField(label="Begin with row", required=False, min_value=1)
    positions = forms.CharField(
        label="Rows (by hand)",
        required=False,
        max_length=5000,
        help_text="Numbers of the list, such as 3, 17, 40-42.",
    )
    reason = ReasonField(
        label="Why this sample",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Such as the firm's table of sample sizes, or a risk.",
    )

    def selection(self) -> SelectionMethod:
        """What the valid form says. Raises Refused for what are no row numbers."""
        cleaned = self.cleaned_data
        return SelectionMethod(
            method=cleaned["method"],
            size=cleaned["size"],
            seed=cleaned["seed"],
            every=cleaned["every"],
            first=cleaned["first"],
            positions=positions_of(cleaned["positions"]),
        )
