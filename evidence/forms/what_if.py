"""Which components would end and which would begin."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.http import urlencode

from controls.base_form import Form
from controls.models import ServiceVariant, System
from controls.responsibility.what_if_system import running
from controls.service_names import variant_label
from evidence.forms.clocks import DayField
from evidence.forms.components import regions_in_use
from evidence.forms.fields import RegionsField, day_input
from evidence.forms.reasons import ReasonField
from evidence.systems.service_uses import ChangeOfServices, slug_of


class WhatIfForm(Form):
    """Components to leave out and to add from a day on, in thought only."""

    data: QueryDict

    first_day = DayField(
        label="From",
        required=False,
        widget=day_input(),
        help_text="The first day of the other services; empty: today.",
    )

    end = forms.MultipleChoiceField(
        label="We would stop using", required=False, widget=forms.CheckboxSelectMultiple
    )
    add = forms.MultipleChoiceField(
        label="We would begin to use",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    regions = RegionsField(
        label="Regions of what we would begin to use",
        required=False,
        help_text="Empty: those in which the system's other services run.",
    )

    def __init__(self, *args: Any, system: System, day: dt.date, **kwargs: Any) -> None:
        """`day` is the first day: what runs on it may end."""
        super().__init__(*args, **kwargs)
        self.system, self.day = system, day
        now = running(system, day)
        every = ServiceVariant.objects.select_related("service")
        self.known = {
            slug_of(variant): variant for variant in every.prefetch_related("layers")
        }
        others = [variant for variant in self.known.values() if variant not in now]
        self.fields["end"].choices = _choices(now)  # type: ignore[attr-defined]
        self.fields["add"].choices = _choices(others)  # type: ignore[attr-defined]

    @property
    def has_choice(self) -> bool:
        """Whether somebody has chosen anything."""
        return any(name in self.data for name in ("end", "add"))

    @property
    def query(self) -> str:
        """The choice as the query of an address, which may be passed on."""
        chosen = {name: self.data.getlist(name) for name in self.fields}
        kept = {name: list(filter(None, values)) for name, values in chosen.items()}
        named = {name: values for name, values in kept.items() if values}
        return urlencode(named, doseq=True)

    def change(self) -> ChangeOfServices:
        """The change that the valid form says."""
        return ChangeOfServices(
            tuple(self.chosen("end")),
            tuple(self.chosen("add")),
            self.day,
            tuple(self.cleaned_data["regions"] or regions_in_use(self.system)),
        )

    def chosen(self, name: str) -> list[ServiceVariant]:
        """The variants that the valid form names."""
        return [self.known[slug] for slug in self.cleaned_data[name]]


def first_day_in(data: Mapping[str, Any], today: dt.date) -> dt.date:
    """The day that the form says, today where it says none or something else."""
    try:
        return DayField(required=False).clean(data.get("first_day", "")) or today
    except forms.ValidationError:
        return today


class ConfirmForm(Form):
    """Why the services change; the choice itself lies in the preview's token."""

    reason = ReasonField(
        label="Why", widget=forms.Textarea(attrs={"rows": 3}), required=False
    )


def _choices(variants: list[ServiceVariant]) -> list[tuple[str, str]]:
    return [(slug_of(variant), variant_label(variant)) for variant in variants]
