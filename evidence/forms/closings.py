"""Closing the window of an engagement: what is asked and decided."""

from __future__ import annotations

from django import forms

from controls.base_form import Form


class ClosingForm(Form):
    """What an officer says about the window that the company has shown."""

    note = forms.CharField(
        label="What the auditors should know",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class DecideClosingForm(Form):
    """Whether an auditor closes the window, as the request was seen."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    decision = forms.ChoiceField(
        label="Decision",
        choices=[
            ("confirm", "Close the window now"),
            ("refuse", "Leave it open"),
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label="What is lacking",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Needed where the window stays open.",
    )


class WithdrawClosingForm(Form):
    """That a request is taken back, as it was seen."""

    version = forms.IntegerField(widget=forms.HiddenInput)


class AgainForm(Form):
    """Which attempt at a kept file was seen to have failed."""

    given_up_at = forms.DateTimeField(widget=forms.HiddenInput)
