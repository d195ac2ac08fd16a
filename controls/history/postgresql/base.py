"""The ENGINE of our databases."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base

from controls.history.postgresql.schema import HistorySchemaEditor

# A page's statements read thousands of rows at most. Where the planner takes one for
# long (a bad guess over rows as they were known), starting other processes or compiling
# takes several times as long as the statement.
SHORT_STATEMENTS = "SET max_parallel_workers_per_gather = 0; SET jit = off"


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL as Django talks to it; the schema editor and two settings are ours."""

    SchemaEditorClass = HistorySchemaEditor

    def _configure_connection(self, connection: Any) -> bool:
        """Called once for each connection; whether the caller has to commit.

        Nothing is set through a pooler in transaction mode: sessions of others would
        have it, and the next statement perhaps not.
        """
        commit: bool = super()._configure_connection(connection)  # type: ignore[misc]
        if self.settings_dict["DISABLE_SERVER_SIDE_CURSORS"]:
            return commit
        with connection.cursor() as cursor:
            cursor.execute(SHORT_STATEMENTS)
        return True
