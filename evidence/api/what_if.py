"""What other components would change, over the API; nothing is written."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controls.models import System
from controls.responsibility.what_if_system import suppose
from controls.service_names import named
from evidence.status.control_status import today_of
from srm_project.requests import actor_of

WORDS = "slug or alias, or slug:variant; may be given several times"


class BasisRowSerializer(serializers.Serializer[Any]):
    """A duty of ours: this layer of this component."""

    layer = serializers.CharField()
    component = serializers.CharField()
    variant = serializers.CharField()
    kind = serializers.CharField()
    duty = serializers.CharField()


class DutyCountSerializer(serializers.Serializer[Any]):
    """A duty and the number of controls that ask for it."""

    duty = BasisRowSerializer(source="row")
    controls = serializers.IntegerField()


class ControlChangeSerializer(serializers.Serializer[Any]):
    """One control whose class or duties would be others."""

    control_id = serializers.CharField(source="control.control.ref_id")
    before = serializers.CharField(source="before.responsibility")
    after = serializers.CharField(source="after.responsibility")
    ruled_by = serializers.CharField(
        source="control.decision.source",
        help_text="what rules today; other than `derived` it keeps ruling",
    )
    dropped = BasisRowSerializer(many=True)
    kept = BasisRowSerializer(many=True)
    new = BasisRowSerializer(many=True)


class WhatIfSerializer(serializers.Serializer[Any]):
    """All that would change on a day; duties are the customer's."""

    on = serializers.DateField()
    classes_before = serializers.DictField(child=serializers.IntegerField())
    classes_after = serializers.DictField(child=serializers.IntegerField())
    dropped = DutyCountSerializer(many=True)
    new = DutyCountSerializer(many=True)
    kept = serializers.IntegerField()
    changes = ControlChangeSerializer(many=True)


class WhatIfView(APIView):
    """A system with other components than it has, in thought only (S9)."""

    @extend_schema(
        parameters=[
            OpenApiParameter("end", str, many=True, description=WORDS),
            OpenApiParameter("add", str, many=True, description=WORDS),
        ],
        responses=WhatIfSerializer,
    )
    def get(self, request: Request, slug: str) -> Response:
        """Classes before and after, duties dropped, kept and new; today."""
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=slug)
        today = today_of(system)
        query = request.query_params
        difference = suppose(
            system,
            today,
            ending=named(query.getlist("end"), field="end"),
            adding=named(query.getlist("add"), field="add"),
        )
        shown = {
            "on": today,
            **{n: getattr(difference, n) for n in difference.__slots__},
        }
        return Response(WhatIfSerializer(shown).data)
