"""What a contributor says about files that prove something."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.db.models import QuerySet

from controls.errors import Refused
from controls.models import System, User
from controls.models.implementation_statements import STATEABLE
from evidence.forms.clocks import DayField
from evidence.forms.reasons import ReasonField
from evidence.models import RequirementControl
from evidence.models.evidence import Sensitivity
from evidence.submissions.submission import Submission, addresses_of
from evidence.submissions.waiting_files import MAX_FILES, WaitingFile


class SeveralFilesInput(forms.ClearableFileInput):
    """A file input that takes more than one."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One or more files; each must hold something."""

    widget = SeveralFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[WaitingFile]:
        """The files in the order of the form. Raises ValidationError."""
        files = data if isinstance(data, (list, tuple)) else [data]
        if len(files) > MAX_FILES:
            raise forms.ValidationError(f"Attach at most {MAX_FILES} files at a time.")
        if not [file for file in files if file]:
            files = [None]
        clean_one = super().clean
        return [clean_one(file, initial) for file in files]


class DayInput(forms.DateInput):
    """A calendar day, as the browser's own control shows it."""

    input_type = "date"

    def __init__(self, **attrs: Any) -> None:
        super().__init__(attrs=attrs, format="%Y-%m-%d")


class AddressesField(forms.CharField):
    """Web addresses, one a line; at most ten."""

    def clean(self, value: Any) -> tuple[str, ...]:
        """The addresses. Raises ValidationError naming the first that is none."""
        try:
            return addresses_of((super().clean(value) or "").splitlines())
        except Refused as refusal:
            raise forms.ValidationError(refusal.messages) from None


class RequirementsField(forms.ModelMultipleChoiceField):
    """Requirements, each with its control in front."""

    def label_from_instance(self, obj: Any) -> str:
        """`AC-2: Access review`."""
        return f"{obj.implementation.control.label}: {obj.title}"


class RequirementField(forms.ModelChoiceField):
    """One requirement, with its control in front."""

    label_from_instance = RequirementsField.label_from_instance  # type: ignore[assignment]


def _status_field() -> forms.ChoiceField:
    """How far a control is of which nobody has said it."""
    return forms.ChoiceField(
        label="How far is this control implemented?",
        choices=[*STATEABLE, ("", "I do not say it now")],
        required=False,
        widget=forms.RadioSelect,
        help_text="Nobody has said it yet, and without it the control is never proven."
        " It holds from the day on which this was performed; the day on which you say"
        " it is shown beside it.",
    )


class UploadForm(forms.Form):
    """Files and the days they speak of. The rules about days are `submit`'s."""

    title = forms.CharField(
        max_length=200, help_text="What it shows, such as “Access review, October”."
    )
    performed_on = DayField(
        label="Performed on",
        widget=DayInput,
        help_text="The day the control operated, not the day you took the picture.",
    )
    period_start = DayField(label="It is about the days from", widget=DayInput)
    period_end = DayField(label="to (last day)", widget=DayInput)
    collected_on = DayField(
        label="Collected on",
        widget=DayInput,
        help_text="The day the file was taken out of its source.",
    )
    source_system = forms.CharField(
        label="Source",
        max_length=120,
        required=False,
        help_text="Where it comes from: console, ticket system, repository.",
    )
    collected_by = forms.ModelChoiceField(
        User.objects.none(),
        label="Collected by",
        required=False,
        empty_label="Me, or a program",
        help_text="Who took it out of the source; that person cannot review it.",
    )
    addresses = AddressesField(
        label="Where it can be seen besides",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Addresses such as https://tickets.example.org/4711, one a line. They"
        " are shown, never fetched: the files are the proof.",
    )
    procedure = forms.CharField(
        label="How it was made",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The query, report or clicks, so that somebody else gets the same.",
    )
    sensitivity = forms.ChoiceField(
        choices=Sensitivity, initial=Sensitivity.INTERNAL, label="Who may see it"
    )
    also = RequirementsField(
        queryset=RequirementControl.objects.none(),
        required=False,
        label="It also proves",
        widget=forms.CheckboxSelectMultiple,
        help_text="Each gets a link of its own, and a review of its own.",
    )
    files = FilesField(  # type: ignore[assignment]
        label="Files", help_text="Several are possible; they are kept as they are."
    )

    def __init__(
        self,
        *args: Any,
        others: QuerySet[RequirementControl] | None = None,
        system: System | None = None,
        asks_status: bool = False,
        **kw: Any,
    ) -> None:
        """With `asks_status` it asks once how far the control is implemented."""
        super().__init__(*args, **kw)
        if asks_status:
            self.fields["implementation_status"] = _status_field()
        if system is not None:
            here = system.memberships.active().values("user")
            people = User.objects.filter(pk__in=here).order_by("name")
            self.fields["collected_by"].queryset = people  # type: ignore[attr-defined]
        if "also" not in self.fields:
            return
        if others is None:
            del self.fields["also"]
        else:
            self.fields["also"].queryset = others  # type: ignore[attr-defined]

    def submission(self) -> Submission:
        """What the valid form says, as `submit` takes it."""
        fields = {"title": "", **self.cleaned_data}
        fields["draft"] = "draft" in self.data
        for name in ("files", "kind", "reason", "also", "implementation_status"):
            fields.pop(name, None)
        return Submission(**fields)


class RevisionForm(UploadForm):
    """Files and days of a further revision; the rest was said once for all."""

    title = None  # type: ignore[assignment]
    source_system = None  # type: ignore[assignment]
    procedure = None  # type: ignore[assignment]
    sensitivity = None  # type: ignore[assignment]
    also = None  # type: ignore[assignment]

    kind = forms.ChoiceField(
        label="This is",
        choices=[
            ("correction", "a correction: what it replaces is void from now on"),
            ("addition", "an addition: what was accepted stays accepted"),
        ],
        widget=forms.RadioSelect,
    )
    reason = ReasonField(
        label="What it corrects or adds",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="The auditor sees this beside the earlier revision.",
    )
    field_order = ("kind", "reason")

    def __init__(self, *args: Any, collector: User | None = None, **kw: Any) -> None:
        super().__init__(*args, **kw)
        if collector is None:
            return
        # `revise` keeps the earlier collector unless another person is named.
        people: Any = self.fields["collected_by"]
        people.queryset |= User.objects.filter(pk=collector.pk)
        people.initial = collector.pk
        people.empty_label = None


class WithdrawForm(forms.Form):
    """Why evidence is taken back."""

    reason = ReasonField(error_messages={"required": "Say why it is withdrawn."})


class AttachForm(forms.Form):
    """One more requirement that evidence proves."""

    requirement = RequirementField(
        queryset=RequirementControl.objects.none(), label="It also proves"
    )

    def __init__(
        self, *args: Any, requirements: QuerySet[RequirementControl], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["requirement"].queryset = requirements  # type: ignore[attr-defined]


def first_values(title: str, first: dt.date, last: dt.date, today: dt.date) -> dict:
    """What the upload form shows before anybody has typed."""
    return {
        "title": title,
        "performed_on": today,
        "period_start": first,
        "period_end": last,
        "collected_on": today,
    }
