"""Whether the database has what this code expects: tables of today, reference data."""

from __future__ import annotations

from django.db import ProgrammingError, connection
from django.db.migrations.executor import MigrationExecutor

from controls.models import ReferenceVersion
from controls.reference.shipped_files import shipped_version


def unapplied_migrations() -> list[str]:
    """Names such as `controls.0003_provider_documents`, in order; empty when current.

    A database whose records this role may not read yet counts as empty. Raises
    OperationalError when the database cannot be reached.
    """
    try:
        executor = MigrationExecutor(connection)
    except ProgrammingError:  # the first migrate broke off before it granted rights
        return ["all"]
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def has_reference_data() -> bool:
    """Whether the reference data that ships with this code was loaded."""
    return ReferenceVersion.objects.filter(version=shipped_version()).exists()
