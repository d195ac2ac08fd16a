"""What a reviewer says about one link."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.text import normalize_newlines

from controls.errors import Refused
from evidence.forms.reasons import ReasonField
from evidence.models import EvidenceLink
from evidence.reviews.decide import Decision


class DecisionForm(forms.Form):
    """A reason, and which version of the link was on the screen."""

    reason = ReasonField(required=False)
    version = forms.IntegerField(required=False, min_value=1)

    def seen(self) -> tuple[str, int | None]:
        """Reason and version; a version that cannot be read counts as not given.

        Raises Refused for a reason that is too long.
        """
        self.is_valid()
        if "reason" in self.errors:
            raise Refused({"reason": list(self.errors["reason"])})
        return (
            self.cleaned_data.get("reason", ""),
            self.cleaned_data.get("version"),
        )


@dataclass(frozen=True)
class DecisionRow:
    """One waiting link with what the reviewer has typed so far."""

    link: EvidenceLink
    choice: str
    reason: str
    error: str


class DecisionsForm:
    """Fields `decision-<uuid>`, `reason-<uuid>`, `version-<uuid>` for each link."""

    def __init__(self, data: Any) -> None:
        self.data = data or {}
        self.is_bound = data is not None
        self.decisions = [
            decision
            for name in self.data
            if name.startswith("decision-") and (decision := self._decision(name))
        ]

    def _decision(self, name: str) -> Decision | None:
        """What was said about one link; what cannot be read counts as nothing."""
        key, decision = name.removeprefix("decision-"), self.data[name]
        try:
            link = uuid.UUID(key)
        except ValueError:
            return None
        if decision not in {"accept", "reject"}:
            return None
        version = self.data.get(f"version-{key}", "")
        return Decision(
            link=link,
            accept=decision == "accept",
            reason=normalize_newlines(self.data.get(f"reason-{key}", "")),
            version=int(version) if version.isdecimal() else None,
        )

    def row(self, link: EvidenceLink, refused: dict[uuid.UUID, str]) -> DecisionRow:
        """A link as the page shows it, nothing typed lost."""
        key = str(link.uuid)
        return DecisionRow(
            link,
            self.data.get(f"decision-{key}", ""),
            self.data.get(f"reason-{key}", ""),
            refused.get(link.uuid, ""),
        )
