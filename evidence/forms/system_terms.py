"""What a system is judged by, from a day on."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from controls.base_form import Form
from controls.models import System
from controls.models.system_terms import SYSTEM_TERMS
from controls.models.systems import ImpactLevel, Partition, Regime
from controls.system_terms import MAX_CURRENCY_DAYS, MAX_LETTER_MONTHS, terms_on
from evidence.forms.clocks import DayField
from evidence.forms.fields import day_input
from evidence.forms.reasons import ReasonField


class SystemTermsForm(Form):
    """Regime, impact level, partition and currency, and from which day they hold."""

    regime = forms.ChoiceField(choices=Regime)
    impact_level = forms.ChoiceField(label="Impact level", choices=ImpactLevel)
    partition = forms.ChoiceField(label="AWS partition", choices=Partition)
    currency_days = forms.IntegerField(
        label="Days of currency",
        min_value=0,
        max_value=MAX_CURRENCY_DAYS,
        help_text="How long the newest report of a provider counts as current after"
        " the end of its period.",
    )
    letter_months = forms.IntegerField(
        label="Months of a letter",
        min_value=0,
        max_value=MAX_LETTER_MONTHS,
        help_text="How far a letter counts beyond its report's period, at most; what it"
        " names further stays open.",
    )
    from_day = DayField(
        label="It holds from",
        widget=day_input(),
        help_text="Once another officer approves, within 30 days.",
    )
    reason = ReasonField(label="Why it changes")
    version = forms.IntegerField(widget=forms.HiddenInput)

    @classmethod
    def about(cls, system: System, today: dt.date) -> SystemTermsForm:
        """The form filled in with what holds today."""
        stated = terms_on(system, today)
        fixed = {"from_day": today, "version": system.version}
        return cls(initial=stated | fixed)

    def terms(self) -> dict[str, Any]:
        """The terms as chosen."""
        return {name: self.cleaned_data[name] for name in SYSTEM_TERMS}
