"""What a system is judged by, on which days, over the API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from controls.access import require_officer
from controls.api.conventions import ByKey, etag, expected_version, valid
from controls.models import System, SystemTerms
from controls.models.system_terms import SYSTEM_TERMS
from controls.models.systems import ImpactLevel, Partition, Regime
from controls.reasons import MAX_REASON
from controls.system_terms import (
    MAX_CURRENCY_DAYS,
    MAX_LETTER_MONTHS,
    change_system_terms,
)
from evidence.api.clocks import BodyDayField
from evidence.api.retrospect import RetrospectiveChangeSerializer
from evidence.status.control_status import today_of
from srm_project.requests import actor_of


class SystemTermsSerializer(serializers.ModelSerializer[SystemTerms]):
    """Terms and their days, both inclusive; null where no day is said."""

    from_day = serializers.DateField(source="days.lower", allow_null=True)
    last_day = serializers.DateField(allow_null=True)
    stated_by = serializers.CharField(
        source="stated_by.email", read_only=True, default=None
    )

    class Meta:
        model = SystemTerms
        fields = ["from_day", "last_day", *SYSTEM_TERMS, "stated_by", "stated_on"]


class NewSystemTermsSerializer(serializers.Serializer[Any]):
    """What changes, from when, and why; what is left out stays."""

    regime = serializers.ChoiceField(choices=Regime.choices, required=False)
    impact_level = serializers.ChoiceField(choices=ImpactLevel.choices, required=False)
    partition = serializers.ChoiceField(choices=Partition.choices, required=False)
    currency_days = serializers.IntegerField(
        min_value=0, max_value=MAX_CURRENCY_DAYS, required=False
    )
    letter_months = serializers.IntegerField(
        min_value=0, max_value=MAX_LETTER_MONTHS, required=False
    )
    from_day = BodyDayField(required=False)
    reason = serializers.CharField(max_length=MAX_REASON)


class SystemTermsViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[SystemTerms]):
    """What a system is judged by: regime, impact level, partition, currency.

    A system that was never changed has no rows: what it was described with holds.
    """

    serializer_class = SystemTermsSerializer
    pagination_class = ByKey
    queryset = SystemTerms.objects.none()

    def _system(self) -> System:
        mine = System.objects.visible_to(actor_of(self.request))
        return get_object_or_404(mine, slug=self.kwargs["slug"])

    def get_queryset(self) -> QuerySet[SystemTerms]:
        """Those of one system that the caller may read."""
        return self._system().terms.select_related("stated_by")

    @extend_schema(
        request=NewSystemTermsSerializer,
        responses={202: RetrospectiveChangeSerializer},
    )
    def create(self, request: Request, slug: str) -> Response:
        """Ask for other terms from a day on (default today): another officer decides.
        Needs If-Match of the system."""
        system = self._system()
        require_officer(system, actor_of(request))
        version = expected_version(request, system)
        body = valid(NewSystemTermsSerializer, request)
        today = today_of(system)
        change = change_system_terms(
            system,
            {name: body[name] for name in SYSTEM_TERMS if name in body},
            from_day=body.get("from_day", today),
            reason=body["reason"],
            by=actor_of(request),
            today=today,
            version=version,
        )
        waiting = RetrospectiveChangeSerializer(change).data
        return Response(waiting, status=202, headers={"ETag": etag(change)})
