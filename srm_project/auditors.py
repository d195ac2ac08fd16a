"""Whether a request reads as an auditor: by the role that opens this very door."""

from __future__ import annotations

import functools
import uuid

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from controls.models import Actor, Role, System
from controls.models.held_roles import roles_now

# From a row to its system, the shortest way first.
WAYS_TO_SYSTEM = (
    ("system",),
    ("implementation", "system"),
    ("evidence", "system"),
    ("revision", "evidence", "system"),
    ("sample", "system"),
)
SYSTEMS = ("/systems/", "/api/v1/systems/")


def reads_as_auditor(request: HttpRequest, reader: Actor) -> bool:
    """Whether an auditor's role, of those held now, opens what is asked for (AC-06).

    A role in another system does not count in this one. A door of no single system,
    such as a list, shows what the auditor's role opens too, and so it counts.
    """
    if reader.is_superuser:
        return False
    held = roles_now(reader)
    audited = {one.system for one in held if one.role == Role.AUDITOR}
    if not audited:
        return False
    elsewhere = {one.system for one in held} - audited
    return not elsewhere or _system_behind(request.path_info) not in elsewhere


def _system_behind(path: str) -> int | None:
    """The key of the one system that an address is about; None: of none, or unknown."""
    try:
        match = resolve(path)
    except Resolver404:
        return None
    if path.startswith(SYSTEMS) and "slug" in match.kwargs:
        named = System.objects.filter(slug=match.kwargs["slug"])
        return named.values_list("pk", flat=True).first()
    try:
        name = uuid.UUID(str(match.kwargs["uuid"]))
    except (KeyError, ValueError):
        return None
    # One statement for all kinds of rows; an id is in one table only.
    first, *others = (
        model._base_manager.filter(uuid=name).order_by().values_list(way)
        for model, way in _rows_of_systems()
    )
    for (system,) in first.union(*others, all=True):
        return system  # None for a notice about no single system
    return None


@functools.cache
def _rows_of_systems() -> list[tuple[type[models.Model], str]]:
    """Each table whose rows have a public id and one system, with the way to it."""
    return [
        (model, "__".join(way))
        for model in apps.get_models()
        if _has(model, ("uuid",))
        for way in [next((way for way in WAYS_TO_SYSTEM if _has(model, way)), None)]
        if way
    ]


def _has(model: type[models.Model], way: tuple[str, ...]) -> bool:
    """Whether the fields of this way stand in the tables."""
    try:
        for name in way:
            field = model._meta.get_field(name)
            if not field.concrete:
                return False
            model = field.related_model or model  # type: ignore[assignment]
    except FieldDoesNotExist:
        return False
    return True
