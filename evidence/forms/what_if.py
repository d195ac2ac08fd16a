"""Which components would end and which would begin."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.http import urlencode

from controls.base_form import Form
from controls.errors import Refused
from controls.models import ServiceVariant, System
from controls.responsibility.what_if_system import running
from controls.service_names import by_name, nearest, variant_label
from evidence.forms.clocks import DayField
from evidence.forms.components import regions_in_use
from evidence.forms.fields import RegionsField, day_input
from evidence.forms.reasons import ReasonField
from evidence.systems.service_uses import ChangeOfServices, slug_of

# What people call the parameters of a comparison, and nothing here reads.
MISNAMED = (
    "component",
    "components",
    "service",
    "services",
    "variant",
    "variants",
    "begin",
    "remove",
    "start",
)


def refuse_misnamed(names: Iterable[str]) -> None:
    """Raise Refused for a parameter that would be passed over: no comparison is made
    without what somebody meant by it."""
    misnamed = [name for name in MISNAMED if name in set(names)]
    if misnamed:
        raise Refused(
            f"The address says “{misnamed[0]}”, which means nothing here: “end” names"
            " what would stop, “add” what would begin."
        )


class ServicesField(forms.MultipleChoiceField):
    """Components by slug, by slug and variant, or by any name that we know of them."""

    known: Mapping[str, ServiceVariant]  # every variant by each of its names
    wrong = "“{}” is not in use on that day: it cannot end."

    def to_python(self, value: Any) -> list[str]:
        """Each as the choices write it; what no service bears stays as it is."""
        texts = [text for text in super().to_python(value) if text.strip()]
        meant = [self.known.get(text.strip().lower()) for text in texts]
        pairs = zip(texts, meant, strict=True)
        return [slug_of(variant) if variant else text for text, variant in pairs]

    def validate(self, value: list[str]) -> None:
        """Raises ValidationError with a sentence for each that is no choice."""
        faults = [self._fault(text) for text in value if not self.valid_value(text)]
        if faults:
            raise forms.ValidationError(faults)

    def _fault(self, text: str) -> str:
        if text.lower() in self.known:
            return self.wrong.format(variant_label(self.known[text.lower()]))
        near = nearest(text, self.known)
        hint = f" Nearest: {', '.join(near)}." if near else ""
        return f"There is no service “{text[:60]}”.{hint}"


class WhatIfForm(Form):
    """Components to leave out and to add from a day on, in thought only."""

    data: QueryDict

    first_day = DayField(
        label="From",
        required=False,
        widget=day_input(),
        help_text="The first day of the other services; empty: today.",
    )

    end = ServicesField(
        label="We would stop using", required=False, widget=forms.CheckboxSelectMultiple
    )
    add = ServicesField(
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
        names = by_name(self.known.values())
        for name, offered in (("end", now), ("add", others)):
            field = self.fields[name]
            assert isinstance(field, ServicesField)
            field.choices, field.known = _choices(offered), names
            if name == "add":
                field.wrong = "“{}” is in use on that day already."

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError where the address names what nothing here reads."""
        fields: dict[str, Any] = super().clean() or {}
        refuse_misnamed(self.data)
        return fields

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
