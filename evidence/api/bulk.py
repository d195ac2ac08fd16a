"""Many files with a list over the API: planned first, then all or nothing."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.bodies import KeptJSONParser, LinesMultiPartParser
from controls.api.conventions import valid
from controls.api.idempotency import idempotent
from controls.errors import NotPermitted
from controls.idempotency import was_confirmed
from controls.models import System
from evidence.api.links import LinkSerializer
from evidence.api.uploads import Streaming
from evidence.models import EvidenceLink
from evidence.status.control_status import today_of
from evidence.submissions.bulk import confirm, opened, sealed
from evidence.submissions.bulk_plan import Planned
from evidence.submissions.bulk_request import plan_of
from evidence.submissions.who_may import submits_in
from srm_project.file_places import take_upload_place
from srm_project.requests import actor_of


class RowErrorSerializer(serializers.Serializer[Any]):
    """What is wrong in which line (the heading is 1; 0: in none) and column."""

    row = serializers.IntegerField(source="number")
    column = serializers.CharField()
    text = serializers.CharField()


class PlannedSerializer(serializers.Serializer[Any]):
    """One evidence as it would be recorded, and what it would prove."""

    rows = serializers.ListField(child=serializers.IntegerField())
    title = serializers.CharField(source="submission.title")
    performed_on = serializers.DateField(source="submission.performed_on")
    file = serializers.CharField(source="upload.name")
    sha256 = serializers.CharField(source="upload.stored.sha256")
    control_ids = serializers.SerializerMethodField()

    def get_control_ids(self, planned: Any) -> list[str]:
        """The controls it would be linked to."""
        rows = (
            requirement.implementation.control.ref_id
            for requirement in planned.requirements
        )
        return sorted(set(rows))


class PlannedTwinSerializer(serializers.Serializer[Any]):
    """A file whose bytes stand already for the same ask and period."""

    rows = serializers.ListField(child=serializers.IntegerField())
    file = serializers.CharField(source="twin.file")
    sha256 = serializers.CharField(source="twin.sha256")
    state = serializers.CharField(source="twin.link.state")
    link = serializers.UUIDField(source="twin.link.uuid")
    text = serializers.CharField(source="sentence")


class PlanSerializer(serializers.Serializer[Any]):
    """The plan; `token` confirms it within an hour, empty while a row is wrong."""

    planned = PlannedSerializer(many=True)
    twins = PlannedTwinSerializer(
        many=True, help_text="Brought before: confirmed with `again` only."
    )
    errors: Any = RowErrorSerializer(many=True)
    token = serializers.CharField()


class PlanFilesSerializer(serializers.Serializer[Any]):
    """A list (CSV or XLSX) and the files it speaks of."""

    list = serializers.FileField()
    files = serializers.ListField(child=serializers.FileField())


class PlanTokenSerializer(serializers.Serializer[Any]):
    """What the plan answered with."""

    token = serializers.CharField()
    again = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Record it although the same bytes stand for the same ask and"
        " period. Without it that is refused with 409.",
    )


def _opened(view: BulkViewSet, request: Request, slug: str) -> None:
    """Ask the store for the bytes of the plan, while nobody waits for the key."""
    system, token = view.plan_named(request, slug)
    if not was_confirmed(actor_of(request), token):
        take_upload_place(request._request)
        view.opened_plans = opened(system, token, actor_of(request))


class BulkViewSet(Streaming, viewsets.GenericViewSet[EvidenceLink]):
    """Many files of one system at once."""

    # of the plan that is confirmed; the store was asked while nobody waits for the key
    opened_plans: list[Planned] | None = None
    serializer_class = PlanSerializer
    queryset = EvidenceLink.objects.none()
    parser_classes = [LinesMultiPartParser, KeptJSONParser]

    @extend_schema(request=PlanFilesSerializer, responses=PlanSerializer)
    @action(detail=False, methods=["post"])
    def plan(self, request: Request, slug: str) -> Response:
        """What would be recorded; 422 with an error for each wrong row."""
        system = self._mine(request, slug)
        self.refuse_unread(request)
        listed, files = request.FILES.get("list"), request.FILES.getlist("files")
        plan = plan_of(system, listed, files, by=actor_of(request))
        token = "" if plan.errors else sealed(system, plan, by=actor_of(request))
        answer = {
            "planned": plan.planned,
            "twins": plan.twins,
            "errors": plan.errors,
            "token": token,
        }
        status = 422 if plan.errors else 200
        return Response(PlanSerializer(answer).data, status=status)

    @extend_schema(
        request=PlanTokenSerializer, responses={201: LinkSerializer(many=True)}
    )
    @action(detail=False, methods=["post"], pagination_class=None)
    @idempotent(before=_opened)
    def confirm(self, request: Request, slug: str) -> Response:
        """Record all of a plan, or nothing."""
        system, token = self.plan_named(request, slug)
        links = confirm(
            system,
            token,
            by=actor_of(request),
            today=today_of(system),
            plans=self.opened_plans,
            again=valid(PlanTokenSerializer, request)["again"],
        )
        rows = EvidenceLink.objects.for_listing().filter(
            pk__in=[link.pk for link in links]
        )
        return Response(LinkSerializer(rows, many=True).data, status=201)

    def plan_named(self, request: Request, slug: str) -> tuple[System, str]:
        """The system, and the token of the plan that the body names."""
        system = self._mine(request, slug)
        return system, valid(PlanTokenSerializer, request)["token"]

    def _mine(self, request: Request, slug: str) -> System:
        """The system, if the caller brings evidence there."""
        mine = System.objects.visible_to(actor_of(request))
        system: System = get_object_or_404(mine, slug=slug)
        if not submits_in(system, by=actor_of(request)):
            raise NotPermitted("Only contributors and officers bring evidence.")
        return system
