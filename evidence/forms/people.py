"""Inviting somebody to a system, and other days of a role."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from controls.base_form import Form
from controls.memberships import RoleOffer
from controls.models import Engagement, Membership, Role, System, Team, User
from evidence.forms.clocks import DayField
from evidence.forms.fields import day_input
from evidence.forms.reasons import ReasonField

OPEN_END = "Leave the last day empty for an open end."


class InviteForm(Form):
    """Who is invited, to which role, from when to when."""

    address = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(label="Role", choices=Role)
    team = forms.ModelChoiceField(
        Team.objects.all(),
        label="Team",
        required=False,
        empty_label="None",
        help_text="A contributor uploads for one team.",
    )
    engagement = forms.ModelChoiceField(
        Engagement.objects.none(),
        label="Engagement",
        required=False,
        empty_label="None",
        help_text="Of auditors only: the audit they are let in for, 90 days at most.",
    )
    starts_on = DayField(label="From", widget=day_input())
    last_day = DayField(label="Last day", required=False, widget=day_input())

    def __init__(
        self, *args: Any, system: System, today: dt.date, role: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        engagements = system.engagements.filter(ended_at=None).order_by("title")
        self.fields["engagement"].queryset = engagements  # type: ignore[attr-defined]
        if not engagements.exists():
            del self.fields["engagement"]
            roles = [one for one in Role.choices if one[0] != Role.AUDITOR]
            self.fields["role"].choices = roles  # type: ignore[attr-defined]
            self.fields["role"].help_text = "Auditors are invited with an engagement."
        self.fields["starts_on"].initial = today
        self.fields["role"].initial = role if role in Role.values else Role.CONTRIBUTOR

    def whom(self) -> list[forms.BoundField]:
        """The fields above the days: who, as what, for which team or audit."""
        return [field for field in self if field.name not in ("starts_on", "last_day")]

    def offer(self) -> RoleOffer:
        """What is offered."""
        typed = self.cleaned_data
        return RoleOffer(
            role=typed["role"],
            starts_on=typed["starts_on"],
            last_day=typed["last_day"],
            team=typed["team"],
            engagement=typed.get("engagement"),
        )


class RoleDaysForm(Form):
    """From which day to which a role is held."""

    starts_on = DayField(label="From", required=False, widget=day_input())
    last_day = DayField(
        label="Last day", required=False, widget=day_input(), help_text=OPEN_END
    )
    reason = ReasonField(
        label="Why",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Needed only where the system is left without an officer.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class EndRoleForm(Form):
    """That a role ends now, and why."""

    reason = ReasonField(
        label="Why it ends",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Needed only where the system is left without an officer.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class SuccessorForm(Form):
    """Who takes over what waits for somebody."""

    to = forms.ModelChoiceField(User.objects.none(), label="Hand over to")

    def __init__(self, *args: Any, membership: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = Membership.objects.active().filter(system=membership.system_id)
        auditors = here.filter(role=Role.AUDITOR)  # they only read
        people = User.objects.filter(pk__in=here.values("user"))
        people = people.exclude(pk__in=auditors.values("user"))
        others = people.exclude(pk=membership.user_id).order_by("name", "email")
        self.fields["to"].queryset = others  # type: ignore[attr-defined]
        self.fields["to"].to_field_name = "uuid"  # type: ignore[attr-defined]
