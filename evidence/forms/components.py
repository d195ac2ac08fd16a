"""Components of a system that is there: one more taken into use, one ended."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from controls.base_form import Form
from controls.models import ServiceVariant, System, SystemComponent
from controls.models.services import Provider
from controls.service_names import variant_label
from evidence.forms.clocks import DayField
from evidence.forms.fields import RegionsField, day_input
from evidence.forms.reasons import ReasonField
from evidence.systems.describe import Use


class AddComponentForm(Form):
    """Take one more component into use."""

    variant = forms.ModelChoiceField(
        ServiceVariant.objects.none(), label="Component", empty_label="Choose one"
    )
    used_from = DayField(label="In use since", widget=day_input())
    regions = RegionsField(label="Regions", required=False)
    provided_by = forms.CharField(
        label="Provided by",
        required=False,
        max_length=60,
        help_text=(
            "Only of a third party: its name, such as the landlord's or the carrier's."
        ),
    )
    sites = forms.CharField(
        label="Sites",
        required=False,
        max_length=300,
        help_text="Only of a third party, separated by commas, such as FRA1, AMS3.",
    )
    name = forms.CharField(
        label="Name",
        required=False,
        max_length=120,
        help_text="Only to tell two uses of the same service apart.",
    )
    reason = ReasonField(
        label="Why an earlier day",
        required=False,
        help_text=(
            "Only where this component was in use before: another officer then decides."
        ),
    )

    def __init__(self, *args: Any, system: System, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["variant"]
        field.queryset = ServiceVariant.objects.select_related(  # type: ignore[attr-defined]
            "service"
        )
        field.label_from_instance = variant_label  # type: ignore[attr-defined]
        self.fields["regions"].initial = ", ".join(regions_in_use(system))

    def use(self) -> Use:
        """What the person said."""
        cleaned = self.cleaned_data
        third_party = cleaned["variant"].service.provider == Provider.THIRD_PARTY
        return Use(
            variant=cleaned["variant"],
            used_from=cleaned["used_from"],
            regions=cleaned["sites"].split(",") if third_party else cleaned["regions"],
            name=cleaned["name"],
            provided_by=cleaned["provided_by"],
        )


def regions_in_use(system: System) -> list[str]:
    """Regions of AWS that some component of the system names."""
    of_aws = system.components.filter(variant__service__provider=Provider.AWS)
    regions_of_uses = of_aws.values_list("regions", flat=True)
    return sorted({region for regions in regions_of_uses for region in regions})


class EndComponentForm(Form):
    """End the use of a component."""

    last_day = DayField(label="Last day in use", widget=day_input())
    reason = ReasonField(label="Why a day before yesterday", required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, component: SystemComponent | None = None, **kwargs: Any
    ) -> None:
        if component is not None:
            kwargs["initial"] = {"version": component.version}
            kwargs["auto_id"] = f"id_{component.pk}_%s"
        super().__init__(*args, **kwargs)


class OtherDaysForm(Form):
    """A component was in use on other days than was said; both days inclusive."""

    used_from = DayField(label="In use since", widget=day_input(), required=False)
    last_day = DayField(label="Last day in use", widget=day_input(), required=False)
    never = forms.BooleanField(label="It was never in use", required=False)
    reason = ReasonField(label="Why")
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, component: SystemComponent | None = None, **kwargs: Any
    ) -> None:
        if component is not None:
            until = component.used_until
            kwargs["initial"] = {
                "version": component.version,
                "used_from": component.used_from,
                "last_day": until - dt.timedelta(days=1) if until else None,
            }
            kwargs["auto_id"] = f"id_days_{component.pk}_%s"
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        """Either days or never."""
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("never") and not cleaned.get("used_from"):
            raise forms.ValidationError("Say since when it was in use, or never.")
        return cleaned

    def days_and_reason(self) -> dict[str, Any]:
        """What was said, the last day as the first day of no use."""
        cleaned = self.cleaned_data
        last = cleaned["last_day"]
        return {
            "used_from": None if cleaned["never"] else cleaned["used_from"],
            "used_until": last + dt.timedelta(days=1) if last else None,
            "reason": cleaned["reason"],
            "version": cleaned["version"],
        }
