"""How the API shows one evidence as linked to a control."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from evidence.models import EvidenceLink


class LinkSerializer(serializers.ModelSerializer[EvidenceLink]):
    """One evidence for one half of one control, and where it stands."""

    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    control_id = serializers.CharField(
        source="implementation.control.ref_id", read_only=True
    )
    evidence = serializers.UUIDField(source="revision.evidence.uuid", read_only=True)
    title = serializers.CharField(source="revision.evidence.title", read_only=True)
    performed_on = serializers.DateField(source="revision.performed_on", read_only=True)
    digest = serializers.CharField(source="revision.digest", read_only=True)
    requirement = serializers.UUIDField(
        source="requirement.uuid",
        read_only=True,
        default=None,
        help_text="The row of an ask that it answers; null: none, it is supplementary.",
    )
    sample_item = serializers.UUIDField(
        source="sample_item.uuid", read_only=True, default=None
    )

    class Meta:
        model = EvidenceLink
        fields = [
            "uuid",
            "system",
            "control_id",
            "half",
            "evidence",
            "title",
            "performed_on",
            "digest",
            "state",
            "requirement",
            "occurrence",
            "sample_item",
            "proves_from",
            "proves_to",
            "version",
        ]
        read_only_fields = fields
        extra_kwargs = {
            "proves_from": {"help_text": "The day on which it was performed."},
            "proves_to": {
                "help_text": "Last day that it proves, inclusive, by the terms in force"
                " when it was brought; null: no end. Before `proves_from` it proves no"
                " day. Terms changed since give another end: the control's status"
                " counts by those in force on the day asked about."
            },
        }
