"""What is looked for."""

from __future__ import annotations

from django import forms

from controls.base_form import Form
from evidence.systems.search import MAX_TEXT


class SearchForm(Form):
    """An id, or words of a title."""

    q = forms.CharField(
        label="Search",
        required=False,
        max_length=MAX_TEXT,
        help_text="A control by its id, such as AC-2(1), or by a number of your regime,"
        " such as CC6.1; a request by its number. Evidence, providers' reports and"
        " requests by words of their titles.",
    )
