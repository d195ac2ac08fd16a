"""Fields of an upload: its files, days, periods, addresses and asks."""

from __future__ import annotations

from typing import Any

from django import forms

from controls.errors import Refused
from evidence.planning.open_periods import DAY_PERFORMED, PERIOD_DASH
from evidence.status.clock_parameters import ClockError, parse_day
from evidence.submissions.submission import addresses_of
from evidence.submissions.uploads import refuse_empty
from evidence.submissions.waiting_files import MAX_FILES, WaitingFile

OTHER_DAYS = "other"


class SeveralFilesInput(forms.ClearableFileInput):
    """A file input that takes more than one."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One or more files, each checked: what is wrong is told of all of them at once."""

    widget = SeveralFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[WaitingFile]:
        """The files in the order of the form. Raises ValidationError."""
        listed = data if isinstance(data, (list, tuple)) else [data]
        files = [file for file in listed if file]
        if not files:
            raise forms.ValidationError(self.error_messages["required"], "required")
        if len(files) > MAX_FILES:
            raise forms.ValidationError(
                f"Attach at most {MAX_FILES} files at a time; these are {len(files)}."
            )
        sentences = [text for file in files for text in _wrong_with(file)]
        if len({file.stored.sha256 for file in files}) < len(files):
            sentences.append("The same file is attached twice.")
        if sentences:
            raise forms.ValidationError(sentences)
        return files


def _wrong_with(file: WaitingFile) -> list[str]:
    """What is wrong with the content of a file, naming it; empty for nothing."""
    try:
        upload = file.as_upload()
        refuse_empty([upload])
    except Refused as refusal:
        return list(refusal.messages)
    return []


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

    def clean(self, value: Any) -> Any:
        """The chosen ones; where nothing was, a list that asks no database.

        Even an empty query of all that a listing shows takes milliseconds to write.
        """
        if not value and not self.required:
            return []
        return super().clean(value)

    def label_from_instance(self, obj: Any) -> str:
        """`AC-2: Access review`."""
        return f"{obj.implementation.control.label}: {obj.title}"


class PeriodField(forms.ChoiceField):
    """The days that a choice stands for: what a page offered is not asked for again."""

    def clean(self, value: Any) -> Any:
        """First and last day, DAY_PERFORMED, or None for other days and for none.

        Raises ValidationError for what no page offers.
        """
        text = value or ""
        if text in {"", OTHER_DAYS}:
            return None
        if text == DAY_PERFORMED:
            return DAY_PERFORMED
        try:
            first, last = (parse_day(part) for part in text.split(PERIOD_DASH))
        except (ClockError, ValueError):
            raise forms.ValidationError("Choose one of the periods shown.") from None
        return first, last
