"""Which components would end and which would begin."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from controls.base_form import Form
from controls.models import ServiceVariant, System
from controls.responsibility.what_if_system import running
from controls.service_names import variant_label


class WhatIfForm(Form):
    """Components to leave out and to add, in thought only."""

    end = forms.MultipleChoiceField(
        label="We would stop using", required=False, widget=forms.CheckboxSelectMultiple
    )
    add = forms.MultipleChoiceField(
        label="We would begin to use",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, system: System, day: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
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
        return any(name in self.data for name in self.fields)

    def chosen(self, name: str) -> list[ServiceVariant]:
        """The variants that the valid form names."""
        return [self.known[slug] for slug in self.cleaned_data[name]]


def slug_of(variant: ServiceVariant) -> str:
    """`lambda:runtime-auto`, as commands and API say it."""
    return f"{variant.service.slug}:{variant.slug}"


def _choices(variants: list[ServiceVariant]) -> list[tuple[str, str]]:
    return [(slug_of(variant), variant_label(variant)) for variant in variants]
