"""Early ends of what was approved, over the API: a second officer decides."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.early_ends import decide_end
from controls.models import (
    EndRequest,
)
from evidence.api.control_requests import (
    EndRequestSerializer,
    RequestViewSet,
)
from evidence.status.control_status import today_of
from srm_project.requests import actor_of


class EndRequestViewSet(RequestViewSet):
    """Early ends of what was approved, which another officer decides."""

    serializer_class = EndRequestSerializer
    model = EndRequest
    queryset = EndRequest.objects.none()

    def get_queryset(self) -> QuerySet[EndRequest]:
        """With what each of them would end."""
        ends: QuerySet[EndRequest] = super().get_queryset()
        return ends.select_related("override", "exclusion", "alternative")

    @extend_schema(request=None, responses=EndRequestSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, uuid: str) -> Response:
        """Approve as another officer; needs If-Match."""
        return self._decided(request, approve=True)

    @extend_schema(request=None, responses=EndRequestSerializer)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, uuid: str) -> Response:
        """Refuse as another officer; needs If-Match."""
        return self._decided(request, approve=False)

    def _decided(self, request: Request, *, approve: bool) -> Response:
        end, version = self.seen(request)
        today = today_of(end.implementation.system)
        decide_end(
            end, approve=approve, by=actor_of(request), version=version, today=today
        )
        return self.shown(self.get_object())
