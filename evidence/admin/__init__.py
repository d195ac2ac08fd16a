"""The operators' door: Django's admin for `evidence`, for systems and their controls.

These are here because a change of what a system uses asks for new evidence, and since
acts on many controls know what is asked of them.
"""

from typing import cast

from django.contrib import admin

from evidence.admin import (
    closings,
    controls,
    evidence,
    findings,
    marks,
    notices,
    populations,
    report_files,
    reports,
    requests,
    requirements,
    retention,
    saved_filters,
    storage,
    systems,
)
from evidence.admin.desk import desk_of
from srm_project.operators import OperatorsSite

__all__ = [
    "closings",
    "controls",
    "evidence",
    "findings",
    "marks",
    "notices",
    "populations",
    "report_files",
    "reports",
    "requests",
    "requirements",
    "retention",
    "saved_filters",
    "storage",
    "systems",
]

cast(OperatorsSite, admin.site).desk_of = desk_of
