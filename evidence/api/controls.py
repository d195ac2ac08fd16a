"""Describing our half of a control over the API."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from controls import clock
from controls.api.conventions import etag, expected_version
from controls.api.known_fields import checked
from controls.implementation import describe
from controls.models import ControlImplementation, ImplementationStatus, System, Team
from controls.models.implementation_statements import STATEABLE
from evidence.api.clocks import BodyDayField
from srm_project.requests import actor_of


class DescribeSerializer(serializers.ModelSerializer[ControlImplementation]):
    """Our half in our words; what is not sent stays as it is."""

    owner_team = serializers.SlugRelatedField(
        slug_field="slug", queryset=Team.objects.all(), allow_null=True, required=False
    )
    implementation_status = serializers.ChoiceField(
        choices=ImplementationStatus.choices,
        required=False,
        help_text="`not-stated` is what nobody has said; it cannot be said.",
    )
    stated_from = BodyDayField(
        required=False,
        write_only=True,
        help_text=(
            "First day of the status: today unless named, or later. The first"
            " statement of all may name an earlier day."
        ),
    )
    part_statuses: Any = serializers.DictField(
        child=serializers.ChoiceField(choices=STATEABLE),
        required=False,
        help_text="Statuses by statement id, only of parts that differ.",
    )

    class Meta:
        model = ControlImplementation
        fields = [
            "implementation_status",
            "part_statuses",
            "customer_statement",
            "owner_team",
            "stated_from",
        ]


def described(request: Request, system: System, ref_id: str) -> Response:
    """Record what was sent; the answer is what is stored, with its ETag."""
    rows = system.implementations.select_related("control", "owner_team", "system")
    row = get_object_or_404(rows, control__ref_id=ref_id)
    serializer = DescribeSerializer(row, data=request.data, partial=True)
    checked(serializer)
    description: dict[str, Any] = {
        "implementation_status": None,
        "customer_statement": row.customer_statement,
        "owner_team": row.owner_team,
    } | serializer.validated_data
    describe(
        row,
        **description,
        version=expected_version(request, row),
        by=actor_of(request),
        today=system.day_of(clock.now()),
    )
    row.refresh_from_db()
    return Response(DescribeSerializer(row).data, headers={"ETag": etag(row)})
