"""Notices over the API: one's own list, read marks, how often mail comes."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controls.api.conventions import ByKey, WithoutETag, valid
from controls.api.filters import Filter, of_system
from evidence.models import Notice
from evidence.models.notices import Frequency, NoticeKind
from evidence.notices.reading import choose, frequency_of, mark_read
from srm_project.requests import actor_of


class NoticeSerializer(serializers.ModelSerializer[Notice]):
    """One thing you are told; `ended_at` is set once it is no longer so."""

    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    sentence = serializers.CharField()
    url = serializers.SerializerMethodField()
    mail = serializers.CharField(source="mail.state", default=None)

    class Meta:
        model = Notice
        fields = [
            "uuid",
            "kind",
            "system",
            "sentence",
            "url",
            "created_at",
            "read_at",
            "ended_at",
            "mail",
        ]

    def get_url(self, notice: Notice) -> str:
        """Where the one thing is."""
        return f"{settings.SITE_URL}{notice.path}"


class PreferenceSerializer(serializers.Serializer[Any]):
    """How often mail comes."""

    frequency = serializers.ChoiceField(choices=Frequency.choices)


MARKED = inline_serializer("Marked", {"marked": serializers.IntegerField()})


class NoticeViewSet(WithoutETag, viewsets.ReadOnlyModelViewSet[Notice]):
    """The caller's own notices."""

    serializer_class = NoticeSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = Notice.objects.none()
    filters = {
        "system": of_system(),
        "kind": Filter(
            "Only of this kind.",
            lambda rows, text: rows.filter(kind=text),
            words=tuple(NoticeKind.values),
        ),
        "unread": Filter(
            "Only unread ones.",
            lambda rows, text: rows.unread() if text in {"1", "true"} else rows,
            words=("1", "true", "0", "false"),
        ),
    }

    def get_queryset(self) -> QuerySet[Notice]:
        """One's own, oldest first."""
        mine = Notice.objects.visible_to(actor_of(self.request)).for_listing()
        notices: QuerySet[Notice] = mine.order_by("pk")
        return notices

    @extend_schema(request=None, responses=NoticeSerializer)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, uuid: str) -> Response:
        """Mark one as read."""
        notice = self.get_object()
        mark_read(Notice.objects.filter(pk=notice.pk), by=actor_of(request))
        return Response(NoticeSerializer(self.get_object()).data)

    @extend_schema(request=None, responses=MARKED)
    @action(detail=False, methods=["post"], url_path="read-all")
    def read_all(self, request: Request) -> Response:
        """Mark all as read."""
        mine = Notice.objects.visible_to(actor_of(request)).unread()
        return Response({"marked": mark_read(mine, by=actor_of(request))})


class NoticePreferenceView(APIView):
    """How often the caller gets mail."""

    @extend_schema(responses=PreferenceSerializer)
    def get(self, request: Request) -> Response:
        """What was chosen; daily unless something else was."""
        return Response({"frequency": frequency_of(actor_of(request))})

    @extend_schema(request=PreferenceSerializer, responses=PreferenceSerializer)
    def put(self, request: Request) -> Response:
        """Choose."""
        choose(actor_of(request), valid(PreferenceSerializer, request)["frequency"])
        return self.get(request)
