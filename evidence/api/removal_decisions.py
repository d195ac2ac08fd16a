"""What requests to destroy bytes share over the API: read, approved, refused."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.conventions import ByKey, WithoutETag
from controls.models import Actor
from srm_project.requests import actor_of


class RemovalDecisions(
    WithoutETag,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Any],
    ABC,
):
    """Requests to destroy bytes; a second person decides on each."""

    pagination_class = ByKey
    lookup_field = "uuid"

    @abstractmethod
    def decide(self, removal: Any, *, approve: bool, by: Actor) -> None:
        """Approve or refuse one, as its room does it."""

    @abstractmethod
    def take_back(self, removal: Any, *, by: Actor) -> None:
        """Take back one's own, as its room does it."""

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, uuid: str) -> Response:
        """Take back what one asked for, while nobody has decided."""
        self.take_back(self.get_object(), by=actor_of(request))
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, uuid: str) -> Response:
        """Approve, as a second person: the bytes are destroyed."""
        return self._decided(request, approve=True)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, uuid: str) -> Response:
        """Refuse, as a second person: nothing is destroyed."""
        return self._decided(request, approve=False)

    def _decided(self, request: Request, *, approve: bool) -> Response:
        self.decide(self.get_object(), approve=approve, by=actor_of(request))
        return Response(self.get_serializer(self.get_object()).data)
