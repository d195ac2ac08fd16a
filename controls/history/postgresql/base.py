"""The ENGINE of our databases."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base, operations

from controls.history.postgresql.schema import HistorySchemaEditor

# A page's statements read thousands of rows at most. Where the planner takes one for
# long (a bad guess over rows as they were known), starting other processes or compiling
# takes several times as long as the statement.
SHORT_STATEMENTS = "SET max_parallel_workers_per_gather = 0; SET jit = off"


class PreparedCursor(base.ServerBindingCursor):  # type: ignore[misc]
    """A cursor whose statements the server keeps by their text.

    After five times it keeps a plan, too, unless one for the parameters promises more.
    Through a pooler in transaction mode nothing is kept (`database_entry`).
    """

    def execute(self, query: Any, params: Any = None) -> Any:
        """Run a statement that changes nothing but its parameters."""
        return super().execute(query, params, prepare=True)  # type: ignore[misc]


class DatabaseOperations(operations.DatabaseOperations):
    """As Django's; what a prepared cursor ran is composed, since it went in parts."""

    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> Any:
        """The text of what a cursor ran, for logs and tests that count statements."""
        if isinstance(cursor, PreparedCursor):
            return self.compose_sql(sql, params)
        return super().last_executed_query(cursor, sql, params)


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL as Django talks to it, with the schema editor, some settings and one
    kind of cursor of ours."""

    SchemaEditorClass = HistorySchemaEditor
    ops_class = DatabaseOperations

    def planned_once(self) -> Any:
        """A cursor for a fixed text that is planned once for each connection: for short
        statements, whose planning takes as long as they do."""
        self.ensure_connection()
        usual = self.connection.cursor_factory
        self.connection.cursor_factory = PreparedCursor
        try:
            return self.cursor()
        finally:
            self.connection.cursor_factory = usual

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
