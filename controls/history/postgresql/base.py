"""The ENGINE of our databases."""

from __future__ import annotations

from django.db.backends.postgresql import base

from controls.history.postgresql.schema import HistorySchemaEditor


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL as Django talks to it; only the schema editor is ours."""

    SchemaEditorClass = HistorySchemaEditor
