"""RE-04: leases run by the database's clock, however wrong a worker's is.

Two machines whose clocks differ never work on one job at a time, and none waits longer
than the lease says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import time_machine
from django.db.models import F

from controls import clock
from evidence.jobs.kinds import AttemptFailed, LeaseLost
from evidence.jobs.leases import Lease, due, take
from evidence.jobs.work import sweep, work_on
from evidence.models import NoticeMail
from tests.evidence.jobs.chores import MINUTE, Chore, make_chores

pytestmark = pytest.mark.django_db
HOUR = 60 * MINUTE


@contextmanager
def wrong_by(error: dt.timedelta) -> Iterator[None]:
    """Inside, Python's clock is wrong; the database's is not."""
    with time_machine.travel(clock.now() + error, tick=True):
        yield


def pass_in_the_database(pause: dt.timedelta) -> None:
    """As if so much time had passed there since the lease was taken."""
    NoticeMail.objects.update(
        leased_until=F("leased_until") - pause, due_at=F("due_at") - pause
    )


def taken(pk: int) -> Lease[NoticeMail]:
    lease = take(Chore(), pk)
    assert lease is not None
    return lease


@pytest.mark.parametrize("error", [-HOUR, HOUR], ids=["behind", "ahead"])
def test_a_wrong_clock_takes_no_job_that_another_works_on(error) -> None:
    (pk,) = make_chores(1)
    lease = taken(pk)
    with wrong_by(error):
        assert take(Chore(), pk) is None
        assert not due(Chore()).exists()
        assert sweep(Chore()) == 0
    lease.renew()
    lease.finish(state="sent")


@pytest.mark.parametrize("error", [-HOUR, HOUR], ids=["behind", "ahead"])
def test_a_wrong_clock_keeps_and_renews_its_own(error) -> None:
    (pk,) = make_chores(1)
    with wrong_by(error):
        lease = taken(pk)
        held = NoticeMail.objects.get().leased_until
        assert held is not None
        lease.renew()
        lease.lock()
    assert abs(held - clock.now() - 10 * MINUTE) < MINUTE
    assert take(Chore(), pk) is None


@pytest.mark.parametrize("error", [-HOUR, HOUR], ids=["behind", "ahead"])
def test_what_ran_out_is_taken_by_whoever_comes(error) -> None:
    (pk,) = make_chores(1)
    with wrong_by(error):
        first = taken(pk)
    pass_in_the_database(10 * MINUTE)
    with wrong_by(error), pytest.raises(LeaseLost):
        first.renew()
    with wrong_by(-error):
        taken(pk).finish(state="sent")


@pytest.mark.parametrize("error", [-HOUR, HOUR], ids=["behind", "ahead"])
def test_the_next_attempt_is_due_by_the_database(error) -> None:
    (pk,) = make_chores(1)

    def break_down(lease: Lease[NoticeMail]) -> None:
        raise AttemptFailed("Broken.")

    with wrong_by(error):
        work_on(Chore(break_down), pk)
    assert not due(Chore()).exists(), "a minute has not passed"
    pass_in_the_database(MINUTE)
    assert due(Chore()).exists()
