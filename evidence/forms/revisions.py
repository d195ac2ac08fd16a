"""What is said of a further revision of evidence."""

from __future__ import annotations

from typing import Any

from django import forms

from controls.models import User
from evidence.forms.reasons import ReasonField
from evidence.forms.uploads import DAYS, UploadForm


class RevisionForm(UploadForm):
    """Files and days of a further revision; the rest was said once for all."""

    title = None  # type: ignore[assignment]
    title_made = None  # type: ignore[assignment]
    period = None  # type: ignore[assignment]
    source_system = None  # type: ignore[assignment]
    procedure = None  # type: ignore[assignment]
    completeness = None  # type: ignore[assignment]
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
        for name in DAYS:
            self.fields[name].required = True
        if collector is None:
            return
        # `revise` keeps the earlier collector unless another person is named.
        people: Any = self.fields["collected_by"]
        people.queryset |= User.objects.filter(pk=collector.pk)
        people.initial = collector.pk
        people.empty_label = None
