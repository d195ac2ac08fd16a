"""API tokens: made in a session, shown once, kept as a hash, revoked at any time."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from controls.accounts.tokens import MAX_DAYS, make_token, revoke_token
from controls.api.conventions import ByKey, WithoutETag, valid
from controls.api.idempotency import idempotent
from controls.models import TokenScope
from controls.models.tokens import Scope
from srm_project.recent_proof import require_recent_proof_of_program
from srm_project.requests import actor_of


class TokenSerializer(serializers.ModelSerializer[TokenScope]):
    """A token without its secret."""

    expiry = serializers.DateTimeField(source="token.expiry", read_only=True)

    class Meta:
        model = TokenScope
        fields = ["uuid", "name", "scope", "expiry", "last_used_at"]
        read_only_fields = ["last_used_at"]


class NewTokenSerializer(serializers.Serializer[Any]):
    """What a new token is for; it expires after `days`."""

    name = serializers.CharField(max_length=80)
    scope = serializers.ChoiceField(choices=Scope.choices, default=Scope.READ)
    days = serializers.IntegerField(min_value=1, max_value=MAX_DAYS, default=90)


class MadeTokenSerializer(TokenSerializer):
    """A token with its secret, which is shown this once."""

    token = serializers.CharField(read_only=True)

    class Meta(TokenSerializer.Meta):
        fields = [*TokenSerializer.Meta.fields, "token"]


class TokenViewSet(
    WithoutETag, mixins.ListModelMixin, viewsets.GenericViewSet[TokenScope]
):
    """One's own tokens. Only a session makes them: a token cannot make another."""

    authentication_classes = [SessionAuthentication]
    serializer_class = TokenSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = TokenScope.objects.none()

    def get_queryset(self) -> QuerySet[TokenScope]:
        """The caller's own."""
        mine = TokenScope.objects.filter(token__user=actor_of(self.request).pk)
        return mine.select_related("token").order_by("pk")

    @extend_schema(request=NewTokenSerializer, responses=MadeTokenSerializer)
    @transaction.atomic
    @idempotent(secrets=("token",))
    def create(self, request: Request) -> Response:
        """Make a token; the answer is the only place that holds its secret.

        Asks for the password or second factor again where the last proof is too old.
        """
        require_recent_proof_of_program(request)
        body = valid(NewTokenSerializer, request)
        kept, secret = make_token(actor_of(request), **body)
        return Response({**TokenSerializer(kept).data, "token": secret}, status=201)

    def destroy(self, request: Request, uuid: str) -> Response:
        """Revoke a token; it works no more from the next request on."""
        revoke_token(self.get_object(), by=actor_of(request))
        return Response(status=204)
