"""How migrations change tables whose past is kept, while old code goes on reading.

Pages of the past read views over a table and its twin. An operation that changes
columns of such a table drops its view, changes table and twin and makes the view again,
all in the migration's transaction: a reader waits for it and never finds no view. Other
views are not touched. SQL of a migration's own (RunSQL) is not seen here: where it
changes a column that a view shows, PostgreSQL refuses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from django.db import models, transaction
from django.db.backends.postgresql.schema import DatabaseSchemaEditor

from controls.history import twin
from controls.history.lock_limit import limit_lock_waits, refuse_long_wait


class HistorySchemaEditor(DatabaseSchemaEditor):
    """Django's, which waits for locks no longer than the settings say.

    Raises LockedByOthers then; the migration is rolled back.
    """

    def __enter__(self) -> HistorySchemaEditor:
        """Begin a migration; its transaction waits for no lock longer than allowed."""
        super().__enter__()
        # Outside a transaction is CREATE INDEX CONCURRENTLY, which waits by design.
        if self.atomic_migration and not self.collect_sql:
            limit_lock_waits(self.connection)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Commit, or roll back and say who was in the way."""
        with refuse_long_wait(exc_value):
            super().__exit__(exc_type, exc_value, traceback)

    def add_field(self, model: type[models.Model], field: Any) -> None:
        """Add a column, to the twin as well."""
        with self._versions_follow(model._meta.db_table):
            super().add_field(model, field)

    def remove_field(self, model: type[models.Model], field: Any) -> None:
        """Remove a column; the twin keeps what it said, and the view forgets it."""
        with self._versions_follow(model._meta.db_table):
            super().remove_field(model, field)

    def alter_field(
        self,
        model: type[models.Model],
        old_field: Any,
        new_field: Any,
        strict: bool = False,
    ) -> None:
        """Alter a column, in the twin as well, where the database has to know."""
        if not self._field_should_be_altered(old_field, new_field):  # type: ignore[attr-defined]
            return
        table = model._meta.db_table
        with self._versions_follow(table) as cursor:
            super().alter_field(model, old_field, new_field, strict)
            if cursor is not None and old_field.column != new_field.column:
                twin.rename_column(cursor, table, old_field.column, new_field.column)

    def alter_db_table(
        self, model: type[models.Model], old_db_table: str, new_db_table: str
    ) -> None:
        """Rename a table and its twin."""
        if old_db_table == new_db_table:
            return
        with self._versions_follow(old_db_table, new_db_table) as cursor:
            super().alter_db_table(model, old_db_table, new_db_table)
            if cursor is not None:
                twin.rename_twin(cursor, old_db_table, new_db_table)

    @contextmanager
    def _versions_follow(
        self, table: str, new_table: str | None = None
    ) -> Iterator[Any | None]:
        """Drop the view of a table, and make it again after the change.

        Gives a cursor, or None when the table's past is not kept.
        """
        if self.collect_sql:
            yield None
            return
        with transaction.atomic(self.connection.alias), self.connection.cursor() as c:
            if not twin.has_versions(c, table):
                yield None
                return
            twin.drop_versions(c, table)
            yield c
            twin.keep(c, new_table or table)
