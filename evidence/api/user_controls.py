"""Complementary user entity controls over the API, and what we expect in turn."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controls.api.bodies import (
    KeptJSONParser,
    LinesFormParser,
    LinesMultiPartParser,
)
from controls.api.conventions import WithoutETag, valid
from controls.api.idempotency import idempotent
from controls.errors import Refused
from controls.grammar import size_in_words
from controls.models import System
from controls.service_names import display_names
from controls.spreadsheets import MAX_BYTES
from evidence.api.clocks import CLOCKS, clocks_of
from evidence.api.coverage import CoverageRowErrorSerializer
from evidence.artifacts.user_controls import (
    import_user_controls,
    preview_user_controls,
    read_user_controls,
    require_open_report,
    sealed_user_controls,
)
from evidence.models import ArtifactVersion, ReportRemark
from evidence.status.control_status import NOT_RECORDED, today_of
from evidence.systems.expected_of_providers import expected_of_providers
from evidence.systems.user_controls import expected_user_controls
from srm_project.requests import actor_of


class UserControlListSerializer(serializers.Serializer[Any]):
    """A CSV or XLSX list of one sheet: number, summary in own words, our controls."""

    file = serializers.FileField()


class UserControlRowSerializer(serializers.Serializer[Any]):
    """One control that the report expects of us, mapped to ours."""

    number = serializers.CharField()
    text = serializers.CharField(allow_blank=True)
    control_ids = serializers.ListField(child=serializers.CharField())


class UserControlPreviewSerializer(serializers.Serializer[Any]):
    """What a list would register; `token`, of one without errors, imports it once
    within an hour."""

    rows = UserControlRowSerializer(many=True, source="coming")
    known = UserControlRowSerializer(many=True)
    row_errors = CoverageRowErrorSerializer(many=True, source="errors")
    token = serializers.CharField(allow_blank=True)


class UserControlTokenSerializer(serializers.Serializer[Any]):
    """What the preview answered with."""

    token = serializers.CharField()


class RegisteredSerializer(serializers.Serializer[Any]):
    """How many were registered."""

    registered = serializers.IntegerField()


class UserControlImportViewSet(WithoutETag, viewsets.GenericViewSet[ReportRemark]):
    """A report's complementary user entity controls by a list; for registrars."""

    serializer_class = UserControlPreviewSerializer
    queryset = ReportRemark.objects.none()
    parser_classes = [KeptJSONParser, LinesMultiPartParser, LinesFormParser]

    def _version(self) -> ArtifactVersion:
        by = actor_of(self.request)
        mine = ArtifactVersion.objects.visible_to(by).for_listing()
        version: ArtifactVersion = get_object_or_404(mine, uuid=self.kwargs["version"])
        require_open_report(version, by=by)
        return version

    @extend_schema(
        request={"multipart/form-data": UserControlListSerializer},
        responses=UserControlPreviewSerializer,
    )
    @action(detail=False, methods=["post"])
    def preview(self, request: Request, version: str) -> Response:
        """What a list would register; nothing is written."""
        report, by = self._version(), actor_of(request)
        file = valid(UserControlListSerializer, request)["file"]
        if file.size > MAX_BYTES:
            sentence = f"The file is larger than {size_in_words(MAX_BYTES)}."
            raise Refused({"file": sentence})
        try:
            read = read_user_controls(file, file.name)
            preview = preview_user_controls(report, read, by=by)
            token = (
                "" if preview.errors else sealed_user_controls(report, preview, by=by)
            )
        except Refused as refusal:
            raise Refused({"file": refusal.messages}) from refusal
        shown = {**vars(preview), "token": token}
        return Response(UserControlPreviewSerializer(shown).data)

    @extend_schema(
        request=UserControlTokenSerializer, responses={201: RegisteredSerializer}
    )
    @action(detail=False, methods=["post"], url_path="import")
    @idempotent()
    def import_list(self, request: Request, version: str) -> Response:
        """Register what a preview showed, all or nothing."""
        report = self._version()
        token = valid(UserControlTokenSerializer, request)["token"]
        number = import_user_controls(report, token, by=actor_of(request))
        return Response({"registered": number}, status=201)


class ExpectedUserControlSerializer(serializers.Serializer[Any]):
    """What a report that the system relies on expects of one control of ours.

    `state` is open (nothing asks for it), asked, shown, or elsewhere (no control of
    this system).
    """

    user_control = serializers.UUIDField(source="remark.uuid")
    number = serializers.CharField(source="remark.title")
    text = serializers.CharField(source="remark.text")
    report = serializers.UUIDField(source="remark.artifact_version.uuid")
    control_id = serializers.CharField()
    owner = serializers.CharField()
    requirement = serializers.UUIDField(
        source="requirement.uuid", default=None, allow_null=True
    )
    state = serializers.CharField()


class ExpectedUserControlsView(APIView):
    """What providers expect of a system."""

    @extend_schema(responses=ExpectedUserControlSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        """Complementary user entity controls today, open ones first."""
        system = _system(request, slug)
        rows = expected_user_controls(system, today_of(system))
        return Response(ExpectedUserControlSerializer(rows, many=True).data)


class ProviderDutySerializer(serializers.Serializer[Any]):
    """What one provider runs for one control, what proves it and whether it stands."""

    provider = serializers.CharField()
    control_id = serializers.CharField()
    label: Any = serializers.CharField()
    title = serializers.CharField()
    responsibility = serializers.CharField()
    layers = serializers.ListField(child=serializers.CharField())
    services = serializers.ListField(child=serializers.CharField())
    reports = serializers.ListField(child=serializers.CharField())
    proof = serializers.CharField()


class ExpectedOfProvidersView(APIView):
    """What a system expects of its providers."""

    @extend_schema(parameters=CLOCKS, responses=ProviderDutySerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        """Each inherited and shared control with each provider's duty, on a day."""
        system = _system(request, slug)
        moment, _ = clocks_of(request, system)
        try:
            duties = expected_of_providers(system, moment, display_names())
        except LookupError:
            raise Refused({"known_at": NOT_RECORDED}) from None
        return Response(ProviderDutySerializer(duties, many=True).data)


def _system(request: Request, slug: str) -> System:
    mine = System.objects.visible_to(actor_of(request))
    return get_object_or_404(mine, slug=slug)
