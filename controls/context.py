"""What every page shows around its content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


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
    ("Review queue", "evidence:queue"),
    ("AWS artifacts", "evidence:artifacts"),
    ("Exports", "evidence:exports"),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """The menu and the demo mark; asks the database nothing."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"demo": settings.DEMO, "nav": ()}
    entries = [(name, reverse(route)) for name, route in MENU]
    if user.is_staff:
        entries.append(("Admin", reverse("admin:index")))
    items = [Item(name, url, request.path.startswith(url)) for name, url in entries]
    return {"demo": settings.DEMO, "nav": items}
