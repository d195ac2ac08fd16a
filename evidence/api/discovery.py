"""What an account uses, held against a system over the API, and accepted."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controls.access import require_officer
from controls.api.conventions import valid
from controls.api.idempotency import idempotent
from controls.models import System
from controls.reference.account_uses import uses_in_text, uses_of
from controls.reference.aws_names import MAX_LIST_TEXT
from evidence.api.clocks import BodyDayField
from evidence.status.control_status import today_of
from evidence.systems.discovery import (
    Discovery,
    accept_discovery,
    compare_uses,
    sealed_discovery,
)
from srm_project.requests import actor_of


class UsesSerializer(serializers.Serializer[Any]):
    """Names, one a line, or the JSON of AWS Config's counts, as text."""

    text = serializers.CharField(max_length=MAX_LIST_TEXT, trim_whitespace=False)


class NewUseSerializer(serializers.Serializer[Any]):
    """A service in use that the system does not name."""

    service = serializers.CharField()
    regions = serializers.ListField(child=serializers.CharField())


class UnseenSerializer(serializers.Serializer[Any]):
    """A component of the system that the list does not name."""

    component = serializers.UUIDField(source="uuid")
    service = serializers.CharField(source="variant.service.slug")


class DiscoverySerializer(serializers.Serializer[Any]):
    """What was seen against the system of today; `token` accepts lines of it once."""

    missing = NewUseSerializer(many=True)
    unseen = UnseenSerializer(many=True)
    agreed = serializers.ListField(child=serializers.CharField())
    elsewhere = NewUseSerializer(many=True)
    unknown = serializers.ListField(child=serializers.CharField())
    token = serializers.CharField()


class AcceptSerializer(serializers.Serializer[Any]):
    """Lines of the preview: slugs to take into use, components to end."""

    token = serializers.CharField()
    from_day = BodyDayField()
    add = serializers.ListField(
        child=serializers.CharField(), required=False, default=list
    )
    end = serializers.ListField(
        child=serializers.UUIDField(), required=False, default=list
    )


class AcceptedSerializer(serializers.Serializer[Any]):
    """How many components came or ended."""

    components = serializers.IntegerField()


class _OfSystem(APIView):
    def officered(self, request: Request, slug: str) -> System:
        """The system of the address. Raises NotPermitted for all but officers."""
        mine = System.objects.visible_to(actor_of(request))
        system: System = get_object_or_404(mine, slug=slug)
        require_officer(system, actor_of(request))
        return system


class DiscoveryView(_OfSystem):
    """What an account uses against what the system says. Officers only."""

    @extend_schema(request=UsesSerializer, responses=DiscoverySerializer)
    def post(self, request: Request, slug: str) -> Response:
        """Compare a list; writes nothing."""
        system = self.officered(request, slug)
        seen = uses_of(uses_in_text(valid(UsesSerializer, request)["text"]))
        by = actor_of(request)
        discovery = compare_uses(system, seen, today=today_of(system), by=by)
        token = sealed_discovery(system, discovery, by=by)
        return Response(DiscoverySerializer(_body(discovery, token)).data)


class DiscoveryAcceptView(_OfSystem):
    """Lines of a comparison, accepted. Officers only."""

    @extend_schema(request=AcceptSerializer, responses={201: AcceptedSerializer})
    @idempotent()
    def post(self, request: Request, slug: str) -> Response:
        """Take into use and end, all or nothing; 409 where something changed since."""
        system = self.officered(request, slug)
        body = valid(AcceptSerializer, request)
        changed = accept_discovery(
            system,
            body["token"],
            add=body["add"],
            end=[str(uuid) for uuid in body["end"]],
            from_day=body["from_day"],
            by=actor_of(request),
            today=today_of(system),
        )
        return Response({"components": changed}, status=201)


def _body(discovery: Discovery, token: str) -> dict[str, Any]:
    return {
        "missing": [
            {"service": new.use.service.slug, "regions": new.regions}
            for new in discovery.missing
        ],
        "unseen": discovery.unseen,
        "agreed": [use.service.slug for use in discovery.agreed],
        "elsewhere": [
            {"service": other.use.service.slug, "regions": other.regions}
            for other in discovery.elsewhere
        ],
        "unknown": [name.text for name in discovery.unknown],
        "token": token,
    }
