"""What every page shows around its content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from controls.access import may_describe_systems, may_keep_register
from controls.models import Actor, System
from controls.service_names import display_names


@dataclass(frozen=True)
class Item:
    """One entry of the main menu."""

    name: str
    url: str
    current: bool


MENU = (
    ("Systems", "evidence:systems"),
    ("My work", "evidence:work"),
    ("Requests", "evidence:requests"),
    ("Review", "evidence:queue"),
    ("Providers' reports", "evidence:artifacts"),
    ("Exports", "evidence:exports"),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """The menu and the demo mark; asks the database nothing.

    `no_role` does, where a page shows it: whether the person may see no system, make
    none and keep no reports. So does `service_names`: what people call services, by
    slug.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"demo": settings.DEMO, "nav": ()}
    entries = [(name, reverse(route)) for name, route in MENU]
    if user.is_staff:
        entries.append(("Admin", reverse("admin:index")))
    items = [Item(name, url, request.path.startswith(url)) for name, url in entries]
    return {
        "demo": settings.DEMO,
        "nav": items,
        "no_role": SimpleLazyObject(lambda: _holds_no_role(user)),
        "service_names": SimpleLazyObject(display_names),
    }


def _holds_no_role(user: Actor) -> bool:
    if may_describe_systems(user) or may_keep_register(user):
        return False
    return not System.objects.visible_to(user).exists()
