"""The operators' door: Django's admin for `evidence`, and for systems.

Systems are here because a change of what they use asks for new evidence.
"""

from evidence.admin import (
    evidence,
    notices,
    populations,
    reports,
    requests,
    requirements,
    storage,
    systems,
)

__all__ = [
    "evidence",
    "notices",
    "populations",
    "reports",
    "requests",
    "requirements",
    "storage",
    "systems",
]
