"""What narrows the audit log of a system."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from controls.base_form import Form
from controls.event_log import EventFilter
from controls.event_words import verb_in_words
from evidence.forms.clocks import DayField
from evidence.forms.fields import day_input

MAX_TEXT = 200  # characters looked for


class EventLogForm(Form):
    """Verb, person, object and days; all of them may be left empty."""

    verb = forms.ChoiceField(label="What happened", required=False)
    person = forms.CharField(label="Who", required=False, max_length=MAX_TEXT)
    about = forms.CharField(
        label="About",
        required=False,
        max_length=MAX_TEXT,
        help_text="Words of its title, or its uuid.",
    )
    first_day = DayField(label="From day", required=False, widget=day_input())
    last_day = DayField(label="To day", required=False, widget=day_input())

    def __init__(self, *args: Any, verbs: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["verb"]
        spoken = [(verb, verb_in_words(verb)) for verb in verbs]
        field.choices = [("", "Anything"), *spoken]

    def chosen(self) -> EventFilter:
        """What was chosen, once it is valid."""
        return EventFilter(**self.cleaned_data)
