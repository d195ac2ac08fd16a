"""An administrator sees what workers gave up, and begins it anew."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection

from evidence.jobs.leases import take
from evidence.models import NoticeMail
from evidence.notices.mailing import MAILS
from evidence.tasks import KINDS
from tests.evidence.jobs.chores import make_chores

pytestmark = pytest.mark.django_db


def printed(capsys, *options: str) -> str:
    call_command("given_up_jobs", *options)
    return capsys.readouterr().out


def test_given_up_jobs_are_listed_and_begun_anew(capsys):
    given_up, waiting = make_chores(2)
    lease = take(MAILS, given_up)
    assert lease is not None
    lease.give_up("The server refused.")
    listed = printed(capsys)
    assert f"notice mail {given_up}, Mail of " in listed
    assert ": The server refused.\n1 job given up.\n" in listed
    assert printed(capsys) == listed, "listing changes nothing"

    assert printed(capsys, "--retry").endswith("1 job begun anew.\n")
    mail = NoticeMail.objects.get(pk=given_up)
    assert (mail.state, mail.attempts, mail.given_up_at) == ("queued", 0, None)
    assert printed(capsys) == "0 jobs given up.\n"
    assert NoticeMail.objects.get(pk=waiting).attempts == 0


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)
def test_code_of_the_version_before_may_insert_rows_without_the_new_columns(kind):
    model = type(kind).unfinished(kind).model
    names = ("attempts", "leased_until", "lease_token", "due_at", "waits")
    names += ("waiting_since", "given_up_at")
    columns = [model._meta.get_field(name).column for name in names]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM information_schema.columns WHERE table_name = %s"
            " AND column_name = ANY(%s)"
            " AND (is_nullable = 'YES' OR column_default IS NOT NULL)",
            [model._meta.db_table, columns],
        )
        assert cursor.fetchone() == (len(names),)
