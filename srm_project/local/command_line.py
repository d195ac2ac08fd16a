"""`manage.py`: Django's command line, with a database that has what commands need.

The database is, in turn: the one that the environment names, which is never started or
migrated from here; the one of the running instance; an embedded one of this folder,
started for this command alone, with tables and reference data made when they lack.
The only module of this package that loads Django.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import (
    execute_from_command_line,
    get_commands,
    load_command_class,
)
from django.db import OperationalError, connection

from srm_project.local.command_database import (
    CommandDatabase,
    DatabaseOrigin,
    command_database,
)
from srm_project.local.failures import LocalFailure, NotReady
from srm_project.local.management import manage
from srm_project.local.programs_account import hand_over

# As the commands of ours: 1 is what a command found, 2 wrong use or no use possible.
COULD_NOT = 2
READER_GONE = 141  # as a shell says of programs that SIGPIPE ended
OUR_APPS = {"controls", "evidence"}
AS_OWNER = {"migrate", "load_reference", "load_demo", "flush", "backup", "restore"}
WITHOUT_DATABASE = {
    *("help", "version", "check", "makemigrations", "collectstatic", "findstatic"),
    *("spectacular", "diffsettings", "startapp", "sqlmigrate", "build_reference"),
    "verify_package",
}
# These make, show or empty the tables themselves.
WITHOUT_TABLES = {
    *("migrate", "showmigrations", "squashmigrations", "optimizemigration"),
    *("flush", "sqlflush", "sqlsequencereset", "inspectdb", "dbshell", "restore"),
}


def main(arguments: list[str]) -> None:
    """Run one management command; exits with 2 and a sentence when it cannot."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "srm_project.settings")
    command = arguments[1] if len(arguments) > 1 else ""
    if command in AS_OWNER:
        os.environ.setdefault("SRM_ROLE", "owner")
    with _refusals_as_sentences():
        if _needs_no_database(command, arguments):
            os.environ.setdefault("SRM_WITHOUT_SECRETS", "yes")
            _execute(arguments)
            return
        with command_database() as database:
            django.setup()
            if command not in get_commands():
                _execute(arguments)  # says which it may have meant
                return
            _check_arguments(command, arguments)
            database.start()
            if command not in WITHOUT_TABLES:
                _prepare(command, database)
            try:
                _execute(arguments)
            finally:
                _hand_over(database)


def note(text: str) -> None:
    """One line for the person at the terminal; output is for the command alone."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _needs_no_database(command: str, arguments: list[str]) -> bool:
    help_asked = {"-h", "--help"} & set(arguments)
    return not command or bool(help_asked) or command in WITHOUT_DATABASE


@contextmanager
def _refusals_as_sentences() -> Iterator[None]:
    try:
        yield
    except (LocalFailure, ImproperlyConfigured) as refusal:
        _stop(str(refusal))
    except PermissionError as refusal:
        _stop(f"{refusal.filename or 'A file'} cannot be used: {refusal.strerror}.")


def _stop(sentence: str) -> NoReturn:
    note(sentence)
    sys.exit(COULD_NOT)


def _execute(arguments: list[str]) -> None:
    try:
        execute_from_command_line(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough: `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(READER_GONE)


def _hand_over(database: CommandDatabase) -> None:
    """Leave nothing that root made where web and worker could not read it."""
    if database.origin is not DatabaseOrigin.GIVEN:
        for folder in database.state.of_programs():
            hand_over(folder)


def _is_ours(command: str) -> bool:
    return get_commands()[command] in OUR_APPS


def _check_arguments(command: str, arguments: list[str]) -> None:
    """Exit with 2 for wrong ones before a server is started for nothing."""
    if not _is_ours(command):
        return
    program = load_command_class(get_commands()[command], command)
    program._called_from_command_line = True  # type: ignore[attr-defined]
    program.create_parser(arguments[0], command).parse_args(arguments[2:])


def _prepare(command: str, database: CommandDatabase) -> None:
    """Make what lacks in an embedded database of our own, else raise NotReady."""
    from srm_project import readiness  # models: only once Django is set up

    if database.origin is not DatabaseOrigin.OWN and not _is_ours(command):
        return
    try:
        unapplied = readiness.unapplied_migrations()
        if unapplied and database.origin is DatabaseOrigin.OWN:
            note("Making the tables (once, less than a minute).")
            manage(database.state, os.environ, "migrate", "--noinput")
        elif unapplied:
            raise NotReady(_what_to_do(database, unapplied))
        if command == "load_reference" or readiness.has_reference_data():
            return
        if database.origin is not DatabaseOrigin.OWN:
            raise NotReady(
                "The reference data of this version is not loaded:"
                " run `manage.py load_reference` as the owner role."
            )
        note("Loading catalogs, baselines and services (once, a few seconds).")
        manage(database.state, os.environ, "load_reference")
    except OperationalError as failure:
        place = connection.settings_dict
        reason = str(failure).strip().splitlines()[0]
        raise NotReady(
            f"The database {place['NAME']} at {place['HOST'] or 'this machine'}"
            f" cannot be reached: {reason}"
        ) from failure
    finally:
        connection.close()


def _what_to_do(database: CommandDatabase, unapplied: list[str]) -> str:
    if database.origin is DatabaseOrigin.RUNNING:
        return (
            "The SRM that runs from this folder has tables of another version"
            f" ({unapplied[0]} is not applied): stop it and `make run` again."
        )
    return (
        f"The database lacks {len(unapplied)} migrations, first {unapplied[0]}: run"
        " `manage.py migrate`, then `manage.py load_reference`, as the owner role"
        " (DATABASE_OWNER_URL)."
    )
