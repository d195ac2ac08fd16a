"""What a body may say: the fields of its serializer, and no others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.text import get_text_list
from rest_framework import serializers

# A form names what lies within a field as `rows[0]name` or `place.line`.
WITHIN = re.compile(r"[.\[].*", re.DOTALL)
# Sent by the forms of the browsable documentation and by pages.
OF_FORMS = frozenset({"csrfmiddlewaretoken"})


def checked(serializer: serializers.BaseSerializer[Any]) -> Any:
    """What was sent, as the serializer reads it.

    Raises ValidationError for what is wrong, every field that nobody knows among it:
    misspelt it would be ignored, and something else done than was meant. Fields that
    are only read may be sent back, and change nothing.
    """
    data = serializer.initial_data
    unknown = dict(_unknown(serializer, data))
    valid = serializer.is_valid()
    errors: Any = serializer.errors
    if unknown and isinstance(errors, Mapping):
        raise serializers.ValidationError({**unknown, **errors})
    if unknown:
        raise serializers.ValidationError(unknown)
    if not valid:
        raise serializers.ValidationError(errors)
    return serializer.validated_data


def _unknown(field: Any, data: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Each name that no field takes, by its path, with a sentence."""
    if isinstance(field, serializers.ListSerializer | serializers.ListField):
        if isinstance(data, list):
            for number, value in enumerate(data):
                yield from _unknown(field.child, value, f"{path}{number}.")
        return
    if not isinstance(field, serializers.Serializer) or not isinstance(data, Mapping):
        return
    known = field.fields
    is_form = hasattr(data, "getlist")
    for name in _names(data, is_form=is_form) - set(known):
        if is_form and name in OF_FORMS:
            continue
        taken = sorted(n for n, one in known.items() if not one.read_only)
        yield f"{path}{name}", [f"There is no such field. {_known(taken)}"]
    if is_form:
        return
    for name, one in known.items():
        if name in data:
            yield from _unknown(one, data[name], f"{path}{name}.")


def _names(data: Mapping[str, Any], *, is_form: bool) -> set[str]:
    names: Iterable[str] = (str(name) for name in data)
    if is_form:
        names = (WITHIN.sub("", name) for name in names)
    return set(names)


def _known(names: list[str]) -> str:
    if not names:
        return "This takes none."
    return f"Known here: {get_text_list(names, 'and')}."
