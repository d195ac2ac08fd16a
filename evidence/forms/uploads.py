"""What a contributor says about files that prove something."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet

from controls.base_form import Form
from controls.models import System, User
from controls.models.implementation_statements import STATEABLE
from evidence.forms.clocks import DayField
from evidence.forms.reasons import ReasonField
from evidence.forms.upload_fields import (
    OTHER_DAYS,
    AddressesField,
    DayInput,
    FilesField,
    PeriodField,
    RequirementsField,
)
from evidence.models import RequirementControl
from evidence.models.evidence import Sensitivity
from evidence.planning.open_periods import DAY_PERFORMED, DuePeriod
from evidence.submissions.same_again import MAX_TITLE, period_named, title_of
from evidence.submissions.submission import Submission, impossible_days

MORE = (
    "title",
    "collected_on",
    "source_system",
    "collected_by",
    "sensitivity",
    "addresses",
    "procedure",
    "completeness",
)
PERIOD = ("period", "period_start", "period_end")
DAYS = ("performed_on", "period_start", "period_end", "collected_on")


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


def _people_of(system: System) -> QuerySet[User]:
    here = system.memberships.active().values("user")
    return User.objects.filter(pk__in=here).order_by("name")


class UploadForm(Form):
    """Files, the days they speak of, what they prove, and more where it is wanted.

    Whoever chooses a period gives no days of it. A title that was left as
    it was made follows the period chosen; one that was left empty is made.
    """

    files = FilesField(label="Files")  # type: ignore[assignment]
    performed_on = DayField(
        label="Performed on",
        widget=DayInput,
        help_text="The day the control operated, not the day you took the picture.",
    )
    period = PeriodField(
        label="Period it is about", required=False, widget=forms.RadioSelect
    )
    period_start = DayField(label="First day", widget=DayInput, required=False)
    period_end = DayField(label="Last day", widget=DayInput, required=False)
    also = RequirementsField(
        queryset=RequirementControl.objects.none(),
        required=False,
        label="It also proves",
        widget=forms.CheckboxSelectMultiple,
    )
    title = forms.CharField(
        max_length=MAX_TITLE,
        required=False,
        help_text="Left empty, it is named after what it shows and its period.",
    )
    # what the page wrote into `title`
    title_made = forms.CharField(required=False, widget=forms.HiddenInput)
    collected_on = DayField(
        label="Collected on",
        widget=DayInput,
        required=False,
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
    sensitivity = forms.ChoiceField(
        choices=Sensitivity, initial=Sensitivity.INTERNAL, label="Who may see it"
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
    completeness = forms.CharField(
        label="What shows that it is complete",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Of a list or an export from a system: totals, filters, a count that"
        " matches. Name its source and the query as well; the reviewer ticks it.",
    )

    def __init__(
        self,
        *args: Any,
        today: dt.date,
        called: str = "",
        cadence: str = "",
        others: Callable[[], QuerySet[RequirementControl]] | None = None,
        system: System | None = None,
        asks_status: bool = False,
        **kw: Any,
    ) -> None:
        """`called` is what titles are made of, `cadence` what names their periods.

        With `asks_status` it asks once how far the control is implemented.
        """
        super().__init__(*args, **kw)
        self.today, self.called, self.cadence = today, called, cadence
        fields: Any = self.fields
        if asks_status:
            fields["implementation_status"] = _status_field()
        self._rows: dict[str, Callable[[], QuerySet[Any]]] = {}
        if system is not None:
            self._rows["collected_by"] = lambda: _people_of(system)
        if "also" in fields and others is None:
            del fields["also"]
        elif others is not None:
            self._rows["also"] = others
        self.offer_rows([name for name in self._rows if self._is_chosen_of(name)])

    def _is_chosen_of(self, name: str) -> bool:
        return not self.is_bound or bool(self.data.get(name))

    def offer_rows(self, names: Iterable[str] = ("collected_by", "also")) -> None:
        """Name the people and asks to choose among, where that was not done yet: what
        is sent with none of them chosen has no need of it. For whoever shows it again.
        """
        for name in names:
            if name in self._rows:
                self.fields[name].queryset = self._rows.pop(name)()  # type: ignore[attr-defined]

    def offer(self, periods: Iterable[DuePeriod]) -> None:
        """Offer these periods on the page, in their order, and other days."""
        choices = [(row.key, row.choice) for row in periods]
        field: Any = self.fields["period"]
        field.choices = [*choices, (OTHER_DAYS, "Other days")]

    def clean(self) -> dict[str, Any]:
        """Days of the period chosen, a title, and what is wrong with any of them."""
        fields = super().clean() or self.cleaned_data
        if "period" not in self.errors:
            self._take_days_of_period(fields)
        if "collected_on" not in self.errors:
            fields["collected_on"] = fields.get("collected_on") or self.today
        days = {name: fields.get(name) for name in DAYS}
        for name, sentence in impossible_days(self.today, **days).items():
            self.add_error(name, sentence)
        if "title" in self.fields and "title" not in self.errors:
            fields["title"] = self._title(fields)
        return fields

    def _take_days_of_period(self, fields: dict[str, Any]) -> None:
        period = fields.pop("period", None)
        if period == DAY_PERFORMED:
            period = (fields.get("performed_on"),) * 2
        if period is not None:
            for name in ("period_start", "period_end"):
                self.errors.pop(name, None)  # of days that were not chosen
            fields["period_start"], fields["period_end"] = period
            return
        for name in ("period_start", "period_end"):
            if not fields.get(name) and name not in self.errors:
                text = str(self.fields[name].error_messages["required"])
                self.add_error(name, forms.ValidationError(text, "required"))

    def _title(self, fields: dict[str, Any]) -> str:
        """What was typed; the rule's, where that was left as it was made, or empty."""
        typed: str = fields.get("title", "")
        if typed and typed != fields.get("title_made"):
            return typed
        first, last = fields.get("period_start"), fields.get("period_end")
        named = first and last and period_named(self.cadence, first, last)
        day = fields.get("performed_on") or self.today
        return title_of(self.called, named or str(day))

    @property
    def other_days(self) -> list[forms.BoundField]:
        """The fields of days that no period offers."""
        return [self["period_start"], self["period_end"]]

    @property
    def period_is_wrong(self) -> bool:
        """Whether the period, or one of its days, has an error."""
        return any(name in self.errors for name in PERIOD)

    @property
    def more(self) -> list[forms.BoundField]:
        """The fields that few fill in, in their order."""
        return [self[name] for name in MORE]

    @property
    def more_is_wrong(self) -> bool:
        """Whether one of them has an error, so that they are shown."""
        return any(name in self.errors for name in MORE)

    @staticmethod
    def days_of(
        values: Mapping[str, Any],
    ) -> tuple[dt.date, tuple[dt.date, dt.date]] | None:
        """The day performed, and first and last day of the period, as values of a form
        say them; None where they are no days."""
        day, period = DayField(), PeriodField()
        try:
            performed_on = day.clean(values["performed_on"])
            chosen = period.clean(values["period"])
            if chosen == DAY_PERFORMED:
                return performed_on, (performed_on, performed_on)
            if chosen is None:
                first = day.clean(values["period_start"])
                chosen = first, day.clean(values["period_end"])
        except forms.ValidationError:
            return None
        return performed_on, chosen

    def submission(self) -> Submission:
        """What the valid form says, as `submit` takes it."""
        names = {field.name for field in dataclasses.fields(Submission)}
        cleaned = {"title": "", **self.cleaned_data}
        values = {name: value for name, value in cleaned.items() if name in names}
        return Submission(**values | {"draft": "draft" in self.data})


class WithdrawForm(Form):
    """Why evidence is taken back."""

    reason = ReasonField(error_messages={"required": "Say why it is withdrawn."})


class AttachForm(Form):
    """Further requirements that evidence proves."""

    requirement = RequirementsField(
        queryset=RequirementControl.objects.none(),
        label="It also proves",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one ask that it also proves."},
    )

    def __init__(
        self, *args: Any, requirements: QuerySet[RequirementControl], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["requirement"].queryset = requirements  # type: ignore[attr-defined]
