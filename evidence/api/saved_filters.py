"""Saved filters of the list of controls over the API: the caller's own."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.conventions import ByKey, etag, expected_version, valid
from controls.api.idempotency import idempotent
from controls.models import System
from evidence.models import SavedFilter
from evidence.models.saved_filters import MAX_NAME
from evidence.systems.saved_filters import (
    MAX_VALUE,
    delete_filter,
    rename_filter,
    save_filter,
)
from srm_project.requests import actor_of


class SavedFilterSerializer(serializers.ModelSerializer[SavedFilter]):
    """A filter: `query` are the parameters of the page that lists the controls."""

    query = serializers.CharField(read_only=True)
    filters: Any = serializers.DictField(child=serializers.CharField())

    class Meta:
        model = SavedFilter
        fields = ["uuid", "name", "filters", "query", "version"]


class NewSavedFilterSerializer(serializers.Serializer[Any]):
    """A name, and values by name: `q`, `family`, `responsibility`, `verdict`,
    `status`, `team`, `number` and `sort`."""

    name = serializers.CharField(max_length=MAX_NAME)
    filters = serializers.DictField(
        child=serializers.CharField(max_length=MAX_VALUE, allow_blank=True)
    )


class NewNameSerializer(serializers.Serializer[Any]):
    """Another name."""

    name = serializers.CharField(max_length=MAX_NAME)


class SavedFilterViewSet(viewsets.ReadOnlyModelViewSet[SavedFilter]):
    """The caller's saved filters of one system."""

    serializer_class = SavedFilterSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = SavedFilter.objects.none()

    def _system(self) -> System:
        mine = System.objects.visible_to(actor_of(self.request))
        return get_object_or_404(mine, slug=self.kwargs["slug"])

    def get_queryset(self) -> QuerySet[SavedFilter]:
        """The caller's own, of one system."""
        mine = SavedFilter.objects.visible_to(actor_of(self.request))
        return mine.filter(system=self._system())

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One filter with its ETag."""
        return _shown(self.get_object())

    @extend_schema(
        request=NewSavedFilterSerializer, responses={201: SavedFilterSerializer}
    )
    @idempotent()
    def create(self, request: Request, slug: str) -> Response:
        """Save a filter under a name that is free."""
        body = valid(NewSavedFilterSerializer, request)
        saved = save_filter(self._system(), **body, by=actor_of(request))
        return _shown(saved, status=201)

    @extend_schema(request=NewNameSerializer, responses=SavedFilterSerializer)
    def partial_update(self, request: Request, slug: str, uuid: str) -> Response:
        """Give it another name; needs If-Match."""
        saved = self.get_object()
        version = expected_version(request, saved)
        name = valid(NewNameSerializer, request)["name"]
        by = actor_of(request)
        return _shown(rename_filter(saved, name, by=by, version=version))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, slug: str, uuid: str) -> Response:
        """Delete it; needs If-Match."""
        saved = self.get_object()
        delete_filter(saved, version=expected_version(request, saved))
        return Response(status=204)


def _shown(saved: SavedFilter, status: int = 200) -> Response:
    body = SavedFilterSerializer(saved).data
    return Response(body, status=status, headers={"ETag": etag(saved)})
