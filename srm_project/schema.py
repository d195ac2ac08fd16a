"""What the schema of the API says of every operation: how it refuses."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import FieldDoesNotExist
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

PROBLEM_SCHEMA = {
    "type": "object",
    "description": "Why a request was refused (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"description": "Sentences by the name of what was sent."},
    },
    "required": ["type", "title", "status", "detail"],
}
# How any operation refuses, by code: the name of the answer in the schema, and why.
REFUSALS = {
    "400": ("BadRequest", "What was sent cannot be accepted; nothing was done."),
    "401": ("NotSignedIn", "Not signed in."),
    "403": ("NotPermitted", "Not permitted."),
    "404": ("NotFound", "There is no such object, or you may not see it."),
    "405": (
        "MethodNotAllowed",
        "The address takes no such method; `Allow` names some.",
    ),
    "406": ("NotAcceptable", "There is no answer of the kinds that `Accept` names."),
    "409": ("Conflict", "It is not in a state for this, or changed meanwhile."),
    "410": ("Gone", "The file is gone, or is not what was recorded."),
    "429": (
        "TooMany",
        "Too much at once or for today; `Retry-After` may say how long.",
    ),
    "503": ("NotAvailable", "Not available now; try again after `Retry-After`."),
}
# How changes refuse besides.
REFUSALS_OF_CHANGES = {
    "412": ("ChangedMeanwhile", "`If-Match` names a version that is not the current."),
    "413": ("TooLarge", "More bytes than are taken."),
    "415": ("UnsupportedMediaType", "The body is of no kind that is taken."),
    "422": ("Unprocessable", "Understood and not acceptable; nothing was done."),
    "428": ("PreconditionRequired", "`If-Match` is needed."),
    "507": ("NoSpace", "There is no space left for it."),
}


def with_refusals(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: each operation answers with problems as well."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    components["responses"] = {
        name: {
            "description": description,
            "content": {"application/problem+json": problem},
        }
        for name, description in (REFUSALS | REFUSALS_OF_CHANGES).values()
    }
    _close_requests(result)
    for methods in result["paths"].values():
        for method, operation in methods.items():
            changes = {} if method == "get" else REFUSALS_OF_CHANGES
            for code, (name, _description) in (REFUSALS | changes).items():
                reference = {"$ref": f"#/components/responses/{name}"}
                operation["responses"].setdefault(code, reference)
    return result


def _close_requests(result: dict[str, Any]) -> None:
    """Say of every object that a request may hold that it takes no other fields."""
    schemas = result["components"]["schemas"]
    waiting = [
        kind["schema"]
        for methods in result["paths"].values()
        for operation in methods.values()
        for kind in operation.get("requestBody", {}).get("content", {}).values()
    ]
    closed: set[str] = set()
    while waiting:
        schema = waiting.pop()
        name = schema.get("$ref", "").rpartition("/")[2]
        if name in closed:
            continue
        if name:
            closed.add(name)
            schema = schemas[name]
        if "properties" in schema:
            schema["additionalProperties"] = False
        waiting += schema.get("properties", {}).values()
        waiting += schema.get("allOf", []) + schema.get("oneOf", [])
        waiting += [schema["items"]] if "items" in schema else []


class AnswersSchema(AutoSchema):
    """The schema of an operation, as it answers.

    What an answer may leave empty may be null; what takes an Idempotency-Key makes
    something, so that its answer is 201 unless it says another.
    """

    def _is_create_operation(self) -> bool:
        action = getattr(self.view, str(getattr(self.view, "action", "")), None)
        makes = self.method == "POST" and getattr(action, "idempotent", False)
        return bool(makes or super()._is_create_operation())

    def _get_serializer_field_meta(
        self, field: serializers.Field[Any, Any, Any, Any], direction: str
    ) -> dict[str, Any]:
        meta: dict[str, Any] = super()._get_serializer_field_meta(field, direction)
        if isinstance(field, serializers.Field) and may_be_null(field):
            meta["nullable"] = True
        return meta


def may_be_null(field: serializers.Field[Any, Any, Any, Any]) -> bool:
    """Whether a field that is only read may be null in an answer.

    By its default, or since something on the way to it may be null in its table.
    """
    names = getattr(field, "source_attrs", ())  # a field of its own has none
    if not field.read_only and len(names) < 2:
        return False
    if field.default is None:
        return True
    model = getattr(getattr(field.parent, "Meta", None), "model", None)
    for name in names:
        try:
            column = model._meta.get_field(name) if model else None
        except FieldDoesNotExist:
            return False
        if column is None or column.null:
            return column is not None
        model = column.related_model
    return False
