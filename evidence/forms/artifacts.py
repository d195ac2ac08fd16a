"""Forms of the register of providers' reports."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms

from controls.base_form import Form, ModelForm
from controls.errors import Refused
from controls.models import Actor, Service, System
from controls.models.systems import ImpactLevel, Partition
from controls.provider_names import AWS
from evidence.artifacts.citations import systems_to_cite_in
from evidence.artifacts.register import region_names
from evidence.forms.clocks import DayField
from evidence.forms.reasons import ReasonField
from evidence.forms.upload_fields import DayInput
from evidence.models import Artifact, RelianceConclusion
from evidence.models.artifacts import ArtifactVersionState, AssuranceKind
from evidence.models.reviews import ReviewDecision

OWN_WORDS = (
    "In your own words: the text of a provider's confidential documents is not stored"
    " here."
)
# What a report of a kind never says; of one day it has no last one.
SAYS_NOT: Mapping[str, tuple[str, ...]] = {
    AssuranceKind.ASSESSMENT: ("ends", "issued_on", "opinion"),
    AssuranceKind.POINT: ("ends",),
}
COUNTS_FOR: Mapping[str, str] = {
    AssuranceKind.ASSESSMENT: "It counts for twelve months from this day."
}
OF_ASSESSMENTS = (
    "For a provider that issues no report: say when you looked at it, and by name what"
    " you looked at. Somebody else then reads it for each system that uses the"
    " provider. Its days count as asserted, never as audited."
)
# How AWS's reports are scoped, and no other provider's.
OF_AWS_ALONE = ("all_services", "services", "regions", "partition")


class ArtifactForm(ModelForm):
    """A series of reports of one kind."""

    class Meta:
        model = Artifact
        fields = (
            "title",
            "provider",
            "series",
            "kind",
            "scheme",
            "type1",
            "responsibility_summary",
        )
        labels = {"series": "Short name", "type1": "Type I"}
        error_messages = {
            "series": {
                "invalid": "Use letters, digits and hyphens only, such as aws-soc2."
            }
        }
        help_texts = {
            "title": "Such as “AWS SOC 2 Type II”.",
            "series": "Letters, digits and hyphens, such as aws-soc2.",
            "provider": (
                "AWS, or the name that a component of yours says it is provided by:"
                " a report proves nothing of another provider."
            ),
            "kind": (
                "Our own assessment is for a provider that issues no report: visit,"
                " questionnaire, contract. Never for AWS."
            ),
        }


class VersionForm(Form):
    """One report of a series: its days and its scope."""

    label = forms.CharField(
        max_length=120, help_text="Such as “Spring 2026”; unique in its series."
    )
    reference = forms.CharField(
        max_length=120, required=False, help_text="A number to find it again, no text."
    )
    starts = DayField(
        label="First day of the period",
        widget=DayInput,
    )
    ends = DayField(
        label="Last day of the period",
        required=False,
        widget=DayInput,
        help_text="Empty for an authorization without a set end.",
    )
    issued_on = DayField(label="Issued on", required=False, widget=DayInput)
    opinion = forms.CharField(
        max_length=60, required=False, help_text="Such as unqualified or qualified."
    )
    impact_level = forms.ChoiceField(
        choices=[("", "Does not say"), *ImpactLevel.choices],
        required=False,
        help_text="For an authorization: the level it was given at.",
    )
    partition = forms.ChoiceField(choices=Partition, initial=Partition.COMMERCIAL)
    all_services = forms.BooleanField(
        required=False, label="Every AWS service is in scope"
    )
    services = forms.ModelMultipleChoiceField(
        queryset=Service.objects.none(),
        required=False,
        to_field_name="slug",
        label="Services in scope",
        widget=forms.CheckboxSelectMultiple,
    )
    regions = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="Regions in scope",
        help_text="Such as us-east-1, eu-west-1; an asterisk stands for all of them.",
    )

    sites = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="Sites or services by name in scope",
        help_text=(
            "Of another provider than AWS, separated by commas, such as FRA1, AMS3; an"
            " asterisk stands for all of them."
        ),
    )

    def __init__(
        self, *args: Any, artifact: Artifact | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if artifact is not None:
            of_aws = artifact.provider_slug == AWS
            for name in ("sites",) if of_aws else OF_AWS_ALONE:
                del self.fields[name]
            self._keep_what_it_says(artifact.kind)
            if of_aws is False:
                return
        field = self.fields["services"]
        field.queryset = Service.objects.filter(provider="aws")  # type: ignore[attr-defined]

    def _keep_what_it_says(self, kind: str) -> None:
        """Leave out what a kind never says, and ask for its one day by its name."""
        for name in SAYS_NOT.get(kind, ()):
            del self.fields[name]
        if kind != AssuranceKind.AUTHORIZATION:
            del self.fields["impact_level"]
        if "ends" not in self.fields:
            starts = self.fields["starts"]
            starts.label, starts.help_text = "Day it was made", COUNTS_FOR.get(kind, "")
        if kind == AssuranceKind.ASSESSMENT:
            self.fields[
                "reference"
            ].help_text = (
                "A number to find your notes again: visit, questionnaire, contract."
            )

    def clean_regions(self) -> list[str]:
        """The names, each once. Raises ValidationError for what is not one."""
        names = set(re.split(r"[\s,;]+", self.cleaned_data["regions"])) - {""}
        try:
            return region_names(sorted(names))
        except Refused as refusal:
            raise forms.ValidationError(refusal.messages) from None

    def version_fields(self) -> dict[str, Any]:
        """What `register_version` takes."""
        fields = dict(self.cleaned_data)
        chosen = [service.slug for service in fields.pop("services", ())]
        everything = fields.pop("all_services", False)
        fields["services"] = ["*"] if everything else chosen
        fields.setdefault("ends", None)  # of one day
        fields["sites"] = re.split(r"[,;\n]", fields.get("sites", ""))
        return fields


class EndForm(Form):
    """Which of three ends a report met, and when."""

    state = forms.ChoiceField(
        label="What happened",
        choices=[
            choice
            for choice in ArtifactVersionState.choices
            if choice[0] != ArtifactVersionState.ACTIVE
        ],
        help_text=(
            "Superseded takes nothing away. Revoked or suspended: days from then on are"
            " open. Withdrawn by its auditor: none of its days counts any more, and"
            " what it expects of us stays asked in each system until a second person"
            " does not rely on it there."
        ),
    )
    on = DayField(label="From this day on", widget=DayInput)
    reason = ReasonField(
        label="Reason",
        required=False,
        help_text="Needed where its auditor withdrew it: how you know.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)


class LetterForm(Form):
    """A continuity letter; it starts the day after the report ends."""

    issued_on = DayField(label="Issued on", widget=DayInput)
    ends = DayField(
        label="Covers days to (last day)",
        widget=DayInput,
        help_text="Days after its issue date do not count, whatever it says.",
    )


class LetterDecisionForm(Form):
    """Whether a letter counts for one system."""

    decision = forms.ChoiceField(choices=ReviewDecision)
    reason = ReasonField(required=False)


class RelianceForm(Form):
    """What was read, and the conclusion."""

    scope_note = forms.CharField(
        label="Scope",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Which services and regions you use are in it, and which are not.",
    )
    period_note = forms.CharField(
        label="Period",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="How its period and letters lie against your audit window.",
    )
    exceptions_note = forms.CharField(
        label="Opinion and exceptions",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Exceptions that touch your controls, and your response.",
    )
    cuec_note = forms.CharField(
        label="Complementary user entity controls",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What the provider expects you to do, and where you do it.",
    )
    conclusion = forms.ChoiceField(choices=RelianceConclusion, widget=forms.RadioSelect)
    # what the page showed: another digest means that it changed meanwhile
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


class CiteForm(Form):
    """All inherited and shared controls of a system, of one family, or the proposed."""

    system = forms.ModelChoiceField(
        queryset=System.objects.none(), to_field_name="slug"
    )
    family = forms.CharField(
        required=False,
        max_length=10,
        help_text="Two letters, such as pe. Empty: every family.",
    )
    proposed = forms.BooleanField(
        required=False,
        label="Only controls that other systems cite it for, or that it speaks to",
    )
    citation = forms.CharField(
        required=False,
        max_length=300,
        help_text="Where it speaks of this: a section number. Empty: as its coverage"
        f" says. {OWN_WORDS}",
    )

    def __init__(self, *args: Any, user: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["system"]
        field.queryset = systems_to_cite_in(user)  # type: ignore[attr-defined]

    def clean_family(self) -> str:
        """The family as catalogs write it."""
        family: str = self.cleaned_data["family"]
        return family.strip().lower()
