"""The filters of the matrix, and a team's word that it has read its duties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from controls.base_form import Form
from controls.models import Team
from evidence.forms.controls import CLASSES, OneGoSelect
from evidence.forms.narrowing import NarrowedByControl
from evidence.systems.expected_of_providers import ProviderDuty

DUTIES = [
    ("", "Any duty"),
    ("ours", "We have to do something"),
    ("configured", "We configure something"),
    ("provided", "We provide something"),
    ("theirs", "A provider does something"),
]


class MatrixFilter(NarrowedByControl):
    """Narrow the matrix; choices are those that the system has."""

    family = forms.ChoiceField(label="Family", required=False, widget=OneGoSelect)
    service = forms.ChoiceField(label="Service", required=False, widget=OneGoSelect)
    responsibility = forms.ChoiceField(
        label="Class", required=False, choices=CLASSES, widget=OneGoSelect
    )
    duty = forms.ChoiceField(
        label="Duty", required=False, choices=DUTIES, widget=OneGoSelect
    )
    team = forms.ChoiceField(label="Owner", required=False, widget=OneGoSelect)

    def __init__(
        self,
        data: Any,
        *,
        rows: Sequence[Mapping[str, Any]],
        services: Mapping[str, str],
    ) -> None:
        super().__init__(data)
        families = dict.fromkeys(row["family"] for row in rows)
        owners = sorted({row["owner"] for row in rows if row["owner"]})
        choices = {
            "family": [("", "Any family"), *((f, f.upper()) for f in families)],
            "service": [("", "Any service"), *services.items()],
            "team": [("", "Any owner"), *((name, name) for name in owners)],
        }
        for name, offered in choices.items():
            self.fields[name].choices = offered  # type: ignore[attr-defined]


STANDS = [
    ("", "Any state"),
    ("open", "Open: no proof that counts"),
    ("proven", "Proven"),
    ("unasked", "Nothing asked of the provider"),
]


class DutyFilter(NarrowedByControl):
    """Narrow what is expected of providers; choices are those that the system has."""

    provider = forms.ChoiceField(label="Provider", required=False, widget=OneGoSelect)
    stands = forms.ChoiceField(
        label="State", required=False, choices=STANDS, widget=OneGoSelect
    )
    responsibility = forms.ChoiceField(
        label="Class", required=False, choices=CLASSES[:3], widget=OneGoSelect
    )

    def __init__(self, data: Any, *, duties: Sequence[ProviderDuty]) -> None:
        super().__init__(data)
        providers = dict.fromkeys(duty.provider for duty in duties)
        choices = [("", "Any provider"), *((name, name) for name in providers)]
        self.fields["provider"].choices = choices  # type: ignore[attr-defined]


class AcknowledgeForm(Form):
    """Which team has read which duties; the digest is that of the page."""

    team = forms.ModelChoiceField(Team.objects.all(), to_field_name="slug")
    duties = forms.RegexField(
        r"^[0-9a-f]{64}$",
        error_messages={"required": "Open the page again: no duties came."},
    )
