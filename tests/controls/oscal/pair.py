"""Two security plans that refer to each other: a provider's, and of who leans on it.

Made in the shape of the pair of examples that NIST publishes, with the faults that
those have: both name a part of AC-2 otherwise than the catalog does, and what is first
said to be satisfied is the UUID of something that the provider offers, not of what it
asks.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

PROVIDER, LEANING = 0x1111, 0x2222
LEVERAGED, LEVERAGING = "leveraged_ssp.json", "leveraging_ssp.json"
PART = "ac-2_stmt.a"  # by the catalog: ac-2_smt.a


def key(whose: int, number: int) -> str:
    """A UUID of version 4 that says whose it is."""
    return str(uuid.UUID(int=whose << 112 | 4 << 76 | 8 << 60 | number))


def offered(component: int) -> str:
    """The UUID of what a component of the provider offers."""
    return key(PROVIDER, 0x200 + component * 0x10 + 1)


def asked_for(component: int) -> str:
    """The UUID of what a component of the provider leaves to others."""
    return key(PROVIDER, 0x200 + component * 0x10 + 2)


def leveraged(part: str = PART) -> bytes:
    """The provider's plan: two components, each offers one thing and asks for one."""
    parts = [
        {
            "component-uuid": key(PROVIDER, component),
            "uuid": key(PROVIDER, 0x200 + component * 0x10),
            "description": "How the component does its share of AC-2, part a.",
            "export": {
                "description": "What is exported.",
                "provided": [
                    {
                        "uuid": offered(component),
                        "description": f"Accounts of component {component} are kept.",
                    }
                ],
                "responsibilities": [
                    {
                        "uuid": asked_for(component),
                        "provided-uuid": offered(component),
                        "description": f"Name who uses component {component}.",
                    }
                ],
            },
        }
        for component in (1, 2)
    ]
    components = [
        _component(PROVIDER, 1, "this-system", "This System"),
        _component(PROVIDER, 2, "software", "Application"),
    ]
    return _plan(PROVIDER, "Provider", part, components, parts, {})


def leveraging(part: str = PART, first: str | None = None) -> bytes:
    """The plan that leans on it; `first` is the UUID that is satisfied first."""
    authorization = {
        "uuid": key(LEANING, 0x300),
        "title": "The provider",
        "party-uuid": key(LEANING, 0x100),
        "date-authorized": "2018-01-01",
    }
    components = [
        _component(LEANING, 1, "this-system", "This System"),
        _component(LEANING, 2, "system", "Leveraged system", key(PROVIDER, 1)),
        _component(LEANING, 3, "application", "Leveraged program", key(PROVIDER, 2)),
    ]
    parts: list[dict[str, Any]] = [
        _by_component(1),
        _by_component(2) | {"satisfied": [_satisfied(0x221, first or offered(1))]},
        _by_component(3)
        | {
            "inherited": [
                {
                    "uuid": key(LEANING, 0x231),
                    "provided-uuid": offered(2),
                    "description": "Inherited.",
                }
            ],
            "satisfied": [_satisfied(0x232, asked_for(2))],
        },
    ]
    more = {"leveraged-authorizations": [authorization]}
    return _plan(LEANING, "Service", part, components, parts, more)


def _component(
    whose: int, number: int, kind: str, title: str, inherited: str = ""
) -> dict[str, Any]:
    component: dict[str, Any] = {
        "uuid": key(whose, number),
        "type": kind,
        "title": title,
        "description": f"{title}.",
        "status": {"state": "operational"},
    }
    if inherited:
        component["props"] = [
            {"name": "implementation-point", "value": "external"},
            {"name": "leveraged-authorization-uuid", "value": key(LEANING, 0x300)},
            {"name": "inherited-uuid", "value": inherited},
        ]
    return component


def _by_component(component: int) -> dict[str, Any]:
    return {
        "component-uuid": key(LEANING, component),
        "uuid": key(LEANING, 0x200 + component * 0x10),
        "description": "How the service does its share of AC-2, part a.",
    }


def _satisfied(number: int, responsibility: str) -> dict[str, str]:
    return {
        "uuid": key(LEANING, number),
        "responsibility-uuid": responsibility,
        "description": "How it was satisfied.",
    }


def _plan(
    whose: int,
    title: str,
    part: str,
    components: list[dict[str, Any]],
    by_components: list[dict[str, Any]],
    implementation: dict[str, Any],
) -> bytes:
    profile = key(whose, 0x900)
    plan = {
        "uuid": key(whose, 0x999),
        "metadata": {
            "title": title,
            "last-modified": "2024-02-01T13:57:28.355446-04:00",
            "version": "0.3",
            "oscal-version": "1.1.2",
            "roles": [{"id": "admin", "title": "Administrator"}],
            "parties": [{"uuid": key(whose, 0x100), "type": "person"}],
        },
        "import-profile": {"href": f"#{profile}"},
        "system-characteristics": {
            "system-ids": [{"id": title.lower()}],
            "system-name": title,
            "description": f"{title}.",
            "security-sensitivity-level": "low",
            "system-information": {
                "information-types": [
                    {"title": "Accounts", "description": "Who may do what."}
                ]
            },
            "status": {"state": "operational"},
            "authorization-boundary": {"description": "All of it."},
        },
        "system-implementation": implementation
        | {
            "users": [{"uuid": key(whose, 0x101), "role-ids": ["admin"]}],
            "components": components,
        },
        "control-implementation": {
            "description": "All responses.",
            "implemented-requirements": [
                {
                    "uuid": key(whose, 0x400),
                    "control-id": "ac-2",
                    "set-parameters": [
                        {"param-id": "ac-2_prm_1", "values": ["privileged"]}
                    ],
                    "statements": [
                        {
                            "statement-id": part,
                            "uuid": key(whose, 0x401),
                            "by-components": by_components,
                        }
                    ],
                }
            ],
        },
        "back-matter": {
            "resources": [{"uuid": profile, "rlinks": [{"href": "./profile.json"}]}]
        },
    }
    return json.dumps({"system-security-plan": plan}, indent=2).encode()
