"""What the lists of the API are narrowed by, and the refusal of what nobody knows.

A list names its filters once (`filters` of its viewset): they narrow it, the schema
lists them, and any other parameter of a request is refused with a sentence.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.text import get_text_list
from drf_spectacular.utils import OpenApiParameter
from rest_framework.filters import BaseFilterBackend
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from controls.control_ids import normalised_id
from controls.errors import Refused


@dataclass(frozen=True)
class Filter:
    """One filter: `narrow` takes the rows and the text, and returns those that fit.

    `words` are all that may be said, empty for any text; `format` is of the schema.
    """

    description: str
    narrow: Callable[[Any, str], QuerySet[Any]]
    words: tuple[str, ...] = ()
    format: str = ""

    def read(self, name: str, text: str) -> str:
        """The text. Raises Refused, naming the filter, for what it cannot be."""
        if self.words and text not in self.words:
            known = get_text_list(sorted(self.words), "or")
            raise Refused({name: f"“{text[:40]}” is none of {known}."})
        if self.format == "uuid":
            try:
                return str(uuid.UUID(text))
            except ValueError:
                raise Refused({name: f"“{text[:40]}” is no uuid."}) from None
        return text

    def parameter(self, name: str) -> dict[str, Any]:
        """How the schema lists it."""
        kind: dict[str, Any] = {"type": "string"}
        if self.words:
            kind["enum"] = sorted(self.words)
        if self.format:
            kind["format"] = self.format
        place = {"name": name, "in": "query", "required": False}
        return place | {"description": self.description, "schema": kind}


def _by(*columns: str, unique: bool = True) -> Callable[..., QuerySet[Any]]:
    """Rows of which a column is the text; `unique` where a row is met but once."""

    def narrow(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        fits = Q(pk__in=[])
        for column in columns:
            fits |= Q(**{column: text})
        if unique:
            return rows.filter(fits)
        keys = rows.model._default_manager.filter(fits).order_by()
        return rows.filter(pk__in=keys.values("pk"))

    return narrow


def of_system(column: str = "system", *, unique: bool = True) -> Filter:
    """Only of one system, by its slug."""
    narrow = _by(f"{column}__slug", unique=unique)
    return Filter("Only of this system (slug).", narrow)


def of_control(*columns: str, unique: bool = True) -> Filter:
    """Only of one control, by its id, in any usual way of writing it."""
    narrow = _by(*(f"{column}__ref_id" for column in columns), unique=unique)

    def by_id(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return narrow(rows, normalised_id(text) or text)

    return Filter("Only of this control, such as `ac-2` or `AC-2(1)`.", by_id)


def of_ask(*columns: str, unique: bool = True) -> Filter:
    """Only of one ask, by its uuid."""
    narrow = _by(*(f"{column}__uuid" for column in columns), unique=unique)
    return Filter("Only of this ask (its uuid).", narrow, format="uuid")


def in_state(words: Iterable[str], column: str = "state") -> Filter:
    """Only in one state; `column` is where the rows have it."""
    return Filter("Only in this state.", _by(column), words=tuple(words))


class NamedFilters(BaseFilterBackend):
    """Narrows a list by the `filters` of its viewset; empty text narrows nothing."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: Any
    ) -> QuerySet[Any]:
        """Rows of a list that fit all that was said. Raises Refused.

        Of other actions the rows of the viewset are those in the address.
        """
        if getattr(view, "action", None) != "list":
            return queryset
        return narrowed(request, queryset, view)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The filters of a list, for the schema."""
        return [known.parameter(name) for name, known in _filters_of(view).items()]


def narrowed(request: Request, rows: QuerySet[Any], view: Any) -> QuerySet[Any]:
    """Rows that fit all that was said, by the filters of the action. Raises Refused."""
    for name, known in _filters_of(view).items():
        if text := request.query_params.get(name, ""):
            rows = known.narrow(rows, known.read(name, text))
    return rows


def _filters_of(view: Any) -> dict[str, Filter]:
    """Those of its list, or of another action that answers with one."""
    action = getattr(view, "action", None)
    if action == "list":
        return dict(getattr(view, "filters", {}))
    return dict(getattr(view, "filters_of_actions", {}).get(action, {}))


class KnownParameters(BasePermission):
    """Lets a request for reading through that names parameters of the schema only."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """True; raises Refused, naming what is unknown and what is known."""
        if request.method not in SAFE_METHODS or not request.query_params:
            return True
        known = parameters_of(view)
        unknown = sorted(request.query_params.keys() - known)
        if unknown:
            known_names = (
                f"Known here: {get_text_list(sorted(known), 'and')}."
                if known
                else "This address takes none."
            )
            raise Refused(
                dict.fromkeys(unknown, f"There is no such parameter. {known_names}")
            )
        return True


def parameters_of(view: Any) -> set[str]:
    """What may stand in the query of a view that is read: as its schema says."""
    action = getattr(view, "action", None) or "get"
    method = getattr(view, "get" if action == "metadata" else action, None)
    names = set(_filters_of(view))
    if (paginator := getattr(view, "paginator", None)) is not None:
        listed = paginator.get_schema_operation_parameters(view)
        names |= {parameter["name"] for parameter in listed}
    schema_class = getattr(method, "kwargs", {}).get("schema")
    if schema_class is not None:
        schema = schema_class()
        schema.view, schema.method = view, "GET"
        parameters: list[OpenApiParameter] = schema.get_override_parameters()
        names |= {parameter.name for parameter in parameters}
    return names
