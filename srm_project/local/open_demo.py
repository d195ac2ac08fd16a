"""The demo's accounts are for this machine, unless somebody says otherwise."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from ipaddress import ip_address

from srm_project.local.failures import StartFailed

SETTING = "DEMO_FOR_OTHERS"


def is_yes(text: str) -> bool:
    """Whether a setting says yes."""
    return text.strip().lower() in {"1", "true", "yes", "on"}


def lets_others_in(host: str) -> bool:
    """Whether a web server on this address can be reached from other machines."""
    try:
        return not ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host != "localhost"


def require_consent(host: str, env: Mapping[str, str]) -> None:
    """Go on if only this machine reaches the demo, or somebody wants it so.

    Asks at a terminal. Raises StartFailed.
    """
    if not lets_others_in(host) or is_yes(env.get(SETTING, "")):
        return
    warning = (
        f"HOST={host} lets other machines reach this demo. Its accounts are as powerful"
        " as any and have one password and no second factor."
    )
    if sys.stdin.isatty() and sys.stdout.isatty():
        answer = input(f"{warning}\nLet other machines in? [y/N] ")
        if answer.strip().lower() in {"y", "yes"}:
            return
    raise StartFailed(
        f"{warning}\nNothing was started. Leave HOST out, or set {SETTING}=yes if that"
        " is what you want."
    )
