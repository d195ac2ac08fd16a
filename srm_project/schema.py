"""What the schema of the API says of every operation: how it refuses."""

from __future__ import annotations

from typing import Any

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
REFUSALS = {
    "400": "What was sent cannot be accepted; nothing was done.",
    "401": "Not signed in.",
    "403": "Not permitted.",
    "404": "There is no such object, or you may not see it.",
    "default": "Any other refusal; `title` and `detail` say why.",
}


def with_refusals(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: each operation answers with problems as well."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM_SCHEMA
    reference = {"$ref": "#/components/schemas/Problem"}
    for methods in result["paths"].values():
        for operation in methods.values():
            for code, description in REFUSALS.items():
                operation["responses"].setdefault(
                    code,
                    {
                        "description": description,
                        "content": {"application/problem+json": {"schema": reference}},
                    },
                )
    return result
