"""Keeping a filter of the list of controls under a name: of one person and system."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models import F

from controls.approvals import refuse_stale
from controls.errors import Refused
from controls.models import Actor, System, User
from evidence.models import SavedFilter
from evidence.models.saved_filters import MAX_NAME

MAX_SAVED_FILTERS = 20  # of one person in one system
MAX_VALUE = 200  # characters of one filter
FILTERS = frozenset(
    ["q", "family", "responsibility", "verdict", "status", "team", "sort", "number"]
)


@transaction.atomic
def save_filter(
    system: System, name: str, filters: Mapping[str, str], *, by: Actor
) -> SavedFilter:
    """Keep filters under a name that the person has not used in this system.

    Raises Refused: no name, one that is used, no filter or one that the list does not
    have, and for more than MAX_SAVED_FILTERS.
    """
    _lock(by)
    mine = SavedFilter.objects.filter(system=system, user=by.pk)
    chosen = {key: value for key, value in filters.items() if value}
    if not chosen:
        raise Refused({"filters": "Filter the list first: nothing is chosen to save."})
    if unknown := sorted(set(chosen) - FILTERS):
        raise Refused({"filters": f"The list has no filter “{unknown[0][:40]}”."})
    if any(len(value) > MAX_VALUE for value in chosen.values()):
        raise Refused({"filters": f"A filter has at most {MAX_VALUE} characters."})
    if mine.count() >= MAX_SAVED_FILTERS:
        raise Refused(
            {
                "name": f"You have {MAX_SAVED_FILTERS} saved filters in this system."
                " Delete one that you no longer need."
            }
        )
    return SavedFilter.objects.create(
        system=system,
        user_id=by.pk,
        name=_free_name(name, system, by),
        filters=chosen,
    )


@transaction.atomic
def rename_filter(
    saved: SavedFilter, name: str, *, by: Actor, version: int | None = None
) -> SavedFilter:
    """Give it another name. `version` is the one that was seen.

    Raises Refused as `save_filter` does for a name, and StaleVersion.
    """
    _lock(by)
    stored = SavedFilter.objects.select_for_update(of=("self",)).get(pk=saved.pk)
    refuse_stale(stored, version)
    free = _free_name(name, stored.system, by, besides=stored)
    SavedFilter.objects.filter(pk=stored.pk).update(name=free, version=F("version") + 1)
    stored.refresh_from_db()
    return stored


@transaction.atomic
def delete_filter(saved: SavedFilter, *, version: int | None = None) -> None:
    """Forget it; a link to the filtered list works on. Raises StaleVersion where it is
    not the version that was seen."""
    stored = SavedFilter.objects.select_for_update(of=("self",)).get(pk=saved.pk)
    refuse_stale(stored, version)
    stored.delete()


def _lock(by: Actor) -> None:
    """One change of a person's filters at a time."""
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=by.pk)


def _free_name(
    name: str, system: System, by: Actor, *, besides: SavedFilter | None = None
) -> str:
    """The name without spaces around it. Raises Refused where it is none or used."""
    name = " ".join(name.split())
    if not name:
        raise Refused({"name": "Give the filter a name."})
    if len(name) > MAX_NAME:
        raise Refused({"name": f"A name has at most {MAX_NAME} characters."})
    same = SavedFilter.objects.filter(system=system, user=by.pk, name__iexact=name)
    if besides is not None:
        same = same.exclude(pk=besides.pk)
    if same.exists():
        raise Refused({"name": f"You have a filter “{name}”. Choose another name."})
    return name
