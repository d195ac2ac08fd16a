"""Exports over the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.conventions import ByKey, WithoutETag, valid
from controls.api.filters import in_state, of_system
from controls.api.idempotency import idempotent
from controls.models import System
from controls.models.tokens import Scope
from evidence.api.clocks import BodyDayField, InstantField
from evidence.exports import jobs
from evidence.exports.closing import make_again
from evidence.exports.ends import delete_export
from evidence.exports.formats import CHOICES, DEFAULT, FORMATS, format_of_kind
from evidence.forms.exports import MAX_FILTER
from evidence.models import Export
from evidence.models.exports import ExportState
from evidence.status.clock_parameters import Window
from evidence.status.control_status import today_of
from srm_project.downloads import attachment
from srm_project.recent_proof import require_recent_proof_of_program
from srm_project.requests import actor_of

MEDIA_TYPES = sorted({made.media_type.partition(";")[0] for made in FORMATS.values()})


class ExportSerializer(serializers.ModelSerializer[Export]):
    """An export and how far it is; `expires_at`: from when on its file is gone."""

    expires_at = serializers.DateTimeField(read_only=True, allow_null=True)
    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    format = serializers.SerializerMethodField()
    filters: Any = serializers.DictField(child=serializers.CharField(), read_only=True)

    @extend_schema_field(serializers.ChoiceField(choices=CHOICES))
    def get_format(self, export: Export) -> str:
        """Its name, as it was asked for."""
        return format_of_kind(export.kind).name

    class Meta:
        model = Export
        fields = [
            "uuid",
            "system",
            "kind",
            "format",
            "on",
            "known_at",
            "window_start",
            "window_end",
            "filters",
            "rules",
            "state",
            "done_rows",
            "total_rows",
            "sha256",
            "size_bytes",
            "expires_at",
            "failure",
            "given_up_at",
        ]


class FiltersSerializer(serializers.Serializer[Any]):
    """What narrows the controls; what is not named is any. As on their page."""

    q = serializers.CharField(required=False, max_length=MAX_FILTER)
    family = serializers.CharField(required=False, max_length=MAX_FILTER)
    responsibility = serializers.CharField(required=False, max_length=MAX_FILTER)
    verdict = serializers.CharField(required=False, max_length=MAX_FILTER)
    status = serializers.CharField(required=False, max_length=MAX_FILTER)
    team = serializers.CharField(required=False, max_length=MAX_FILTER)
    number = serializers.CharField(required=False, max_length=MAX_FILTER)
    mark = serializers.CharField(
        required=False,
        max_length=MAX_FILTER,
        help_text="Of an audit you read: its engagement's uuid, a colon, and a state.",
    )


class NewExportSerializer(serializers.Serializer[Any]):
    """What to export. Without `known_at` all that is recorded now; without a window
    the system's own; `filters` are those of the list of controls."""

    system = serializers.SlugField()
    format = serializers.ChoiceField(choices=CHOICES, default=DEFAULT)
    window_from = BodyDayField(required=False)
    window_to = BodyDayField(required=False)
    filters = FiltersSerializer(required=False)
    on = BodyDayField(required=False)
    known_at = InstantField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Both days of a window, or none."""
        if ("window_from" in attrs) != ("window_to" in attrs):
            sentence = "Give both days of a window, or none."
            raise serializers.ValidationError({"window_to": sentence}, "half_a_window")
        return attrs


class AgainSerializer(serializers.Serializer[Any]):
    """Which attempt was seen to have failed: the `given_up_at` of the export."""

    given_up_at = InstantField()


def _window(body: Mapping[str, Any]) -> Window | None:
    if "window_from" not in body:
        return None
    return body["window_from"], body["window_to"]


class ExportViewSet(WithoutETag, viewsets.ReadOnlyModelViewSet[Export]):
    """Exports of the caller, and of a system for its officers.

    All of a system leaves in one file, which asks a session for a fresh proof (AZ-12).
    A token cannot prove anything anew, so that asking was decided when it was made.
    """

    scope_to_change = Scope.EXPORT

    serializer_class = ExportSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = Export.objects.none()
    filters = {"system": of_system(), "state": in_state(ExportState.values)}

    def get_queryset(self) -> QuerySet[Export]:
        """Only what `visible_to` allows."""
        return (
            Export.objects.visible_to(actor_of(self.request))
            .for_listing()
            .order_by("pk")
        )

    @extend_schema(request=NewExportSerializer, responses={202: ExportSerializer})
    @idempotent()
    def create(self, request: Request) -> Response:
        """Queue an export.

        A session is asked for the password or second factor again where the last proof
        is too old; a token needs the scope `export`, given with such a proof.
        """
        if request.auth is None:
            require_recent_proof_of_program(request)
        body = valid(NewExportSerializer, request)
        system = get_object_or_404(
            System.objects.visible_to(actor_of(request)), slug=body["system"]
        )
        export = jobs.request_export(
            system,
            by=actor_of(request),
            on=body.get("on") or today_of(system),
            known_at=body.get("known_at"),
            format_name=body["format"],
            window=_window(body),
            filters=body.get("filters"),
        )
        return Response(ExportSerializer(export).data, status=202)

    @extend_schema(request=AgainSerializer, responses={202: ExportSerializer})
    @action(detail=True, methods=["post"], url_path="make-again")
    def make_again(self, request: Request, uuid: str) -> Response:
        """Have a file of a closing made that failed then, of the same clocks."""
        export = self.get_object()
        jobs.require_owner(export, actor_of(request))
        if request.auth is None:
            require_recent_proof_of_program(request)
        seen = valid(AgainSerializer, request)["given_up_at"]
        queued = make_again(export, by=actor_of(request), given_up_at=seen)
        return Response(ExportSerializer(queued).data, status=202)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, uuid: str) -> Response:
        """Delete the file of an export of one's own, or stop one that is not finished.

        What was asked stays on record.
        """
        export = self.get_object()
        jobs.require_owner(export, actor_of(request))
        if export.state in jobs.UNFINISHED:
            jobs.cancel(export, by=actor_of(request))
        else:
            delete_export(export, by=actor_of(request))
        return Response(status=204)

    @extend_schema(responses={(200, media): bytes for media in MEDIA_TYPES})
    @action(detail=True, methods=["get"])
    def file(self, request: Request, uuid: str) -> FileResponse:
        """The finished file as an attachment, for its owner; 410 once it expired."""
        export = self.get_object()
        return attachment(jobs.opened_for(export, by=actor_of(request)))
