"""One worker at a time works on a job, and only its outcome counts."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import transaction
from kombu.exceptions import OperationalError

from evidence.jobs import wake
from evidence.jobs.kinds import (
    AttemptFailed,
    Backoff,
    CannotBeDone,
    LeaseLost,
    MustWait,
)
from evidence.jobs.leases import Lease, due, revive, take
from evidence.jobs.work import sweep, work_on
from evidence.models import NoticeMail
from evidence.models.notices import MailState
from tests.evidence.jobs.chores import (
    MINUTE,
    Chore,
    Clock,
    in_another_connection,
    make_chores,
)

DAY = dt.timedelta(days=1)
SENT = {"state": MailState.SENT}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def row(pk: int) -> NoticeMail:
    return NoticeMail.objects.get(pk=pk)


def taken(kind: Chore, pk: int, clock: Clock) -> Lease[NoticeMail]:
    lease = take(kind, pk, clock)
    assert lease is not None
    return lease


# --- pauses ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "minutes"), [(1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (10_000, 30)]
)
def test_pauses_double_up_to_the_longest(count, minutes):
    assert Backoff(MINUTE, 30 * MINUTE).after(count) == minutes * MINUTE


# --- two workers ----------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_workers_take_different_jobs_and_wait_for_nobody(clock):
    kind, keys = Chore(), make_chores(2)

    def second_worker() -> list[int]:
        leases = [take(kind, pk, clock) for pk in keys]
        return [lease.job.pk for lease in leases if lease]

    with transaction.atomic():  # the first worker is just taking its job
        first = taken(kind, keys[0], clock)
        assert in_another_connection(second_worker) == [keys[1]]
    assert first.job.pk == keys[0]
    assert in_another_connection(second_worker) == []
    assert [row(pk).attempts for pk in keys] == [1, 1]


@pytest.mark.django_db(transaction=True)
def test_while_one_works_nothing_is_locked_and_nobody_else_works(clock):
    (pk,) = make_chores(1)
    kind = Chore()

    def work(lease: Lease[NoticeMail]) -> None:
        assert not transaction.get_connection().in_atomic_block
        assert in_another_connection(lambda: take(kind, pk, clock)) is None
        assert in_another_connection(lambda: NoticeMail.objects.update(rows=7)) == 1
        lease.finish(**SENT)

    kind.work = work
    assert work_on(kind, pk, clock)
    assert (row(pk).state, row(pk).rows) == ("sent", 7)


LATE = {
    "renew": lambda lease: lease.renew(),
    "lock": lambda lease: lease.lock(),
    "finish": lambda lease: lease.finish(**SENT),
    "postpone": lambda lease: lease.postpone("Away."),
    "fail": lambda lease: lease.fail("Broken."),
    "give up": lambda lease: lease.give_up("Hopeless."),
}


@pytest.mark.django_db
@pytest.mark.parametrize("step", LATE)
def test_whose_lease_was_taken_over_writes_nothing(clock, step):
    (pk,) = make_chores(1)
    first = taken(Chore(), pk, clock)
    clock.passes(10 * MINUTE)
    second = taken(Chore(), pk, clock)
    before = NoticeMail.objects.values().get()
    with transaction.atomic(), pytest.raises(LeaseLost):
        LATE[step](first)
    assert NoticeMail.objects.values().get() == before
    with transaction.atomic():
        second.finish(**SENT)
    assert (row(pk).state, row(pk).attempts) == ("sent", 2)


@pytest.mark.django_db
@pytest.mark.parametrize("step", LATE)
def test_whose_lease_ran_out_writes_nothing_though_nobody_took_it(clock, step):
    (pk,) = make_chores(1)
    lease = taken(Chore(), pk, clock)
    before = NoticeMail.objects.values().get()
    clock.passes(10 * MINUTE)
    with transaction.atomic(), pytest.raises(LeaseLost):
        LATE[step](lease)
    assert NoticeMail.objects.values().get() == before


@pytest.mark.django_db
def test_an_outcome_of_a_lost_lease_is_dropped_quietly(clock, caplog):
    (pk,) = make_chores(1)

    def slow(lease: Lease[NoticeMail]) -> None:
        clock.passes(11 * MINUTE)
        raise AttemptFailed("Too late to matter.")

    assert work_on(Chore(slow), pk, clock)
    assert (row(pk).error, row(pk).state) == ("", "sending")
    assert "this outcome is dropped" in caplog.text


@pytest.mark.django_db
def test_renewed_in_time_a_long_job_stays_with_its_worker(clock):
    (pk,) = make_chores(1)
    kind = Chore()

    def long(lease: Lease[NoticeMail]) -> None:
        for _ in range(20):
            clock.passes(6 * MINUTE)
            lease.renew_at_half()
            assert take(kind, pk, clock) is None
        lease.finish(**SENT)

    kind.work = long
    work_on(kind, pk, clock)
    assert (row(pk).state, row(pk).attempts) == ("sent", 1)


@pytest.mark.django_db
def test_before_half_of_the_lease_nothing_is_written(clock, django_assert_num_queries):
    lease = taken(Chore(), make_chores(1)[0], clock)
    clock.passes(4 * MINUTE)
    with django_assert_num_queries(0):
        lease.renew_at_half()
    clock.passes(2 * MINUTE)
    with django_assert_num_queries(1):
        lease.renew_at_half()


# --- failing and giving up ------------------------------------------------------


def failing(text: str) -> Chore:
    def fail(lease: Lease[NoticeMail]) -> None:
        raise AttemptFailed(text)

    return Chore(fail)


@pytest.mark.django_db
def test_after_three_attempts_it_is_given_up_and_the_reason_kept(clock):
    (pk,) = make_chores(1)
    kind = failing("The disk is full.")
    for pause in (1, 2):
        assert work_on(kind, pk, clock)
        assert row(pk).error == "The disk is full."
        assert row(pk).given_up_at is None
        clock.passes(pause * MINUTE - dt.timedelta(seconds=1))
        assert not work_on(kind, pk, clock), "it is not due yet"
        clock.passes(dt.timedelta(seconds=1))
    assert work_on(kind, pk, clock)
    assert row(pk).error == "Given up after 3 attempts. The disk is full."
    assert row(pk).given_up_at == clock.instant
    clock.passes(100 * DAY)
    assert not work_on(kind, pk, clock)
    assert sweep(kind, clock()) == 0
    assert revive(kind, pk) == 1
    assert work_on(kind, pk, clock)
    assert (row(pk).attempts, row(pk).given_up_at) == (1, None)


@pytest.mark.django_db
def test_workers_that_die_use_up_the_attempts_too(clock):
    (pk,) = make_chores(1)
    for _ in range(3):
        taken(Chore(), pk, clock)  # and never heard of again
        clock.passes(10 * MINUTE)
    assert take(Chore(), pk, clock) is None
    assert row(pk).state == "failed"
    assert "The worker stopped during each of them." in row(pk).error
    assert row(pk).leased_until is None


@pytest.mark.django_db
def test_what_can_never_be_done_is_given_up_at_once(clock):
    (pk,) = make_chores(1)

    def refuse(lease: Lease[NoticeMail]) -> None:
        raise CannotBeDone("Nobody is left to tell.")

    work_on(Chore(refuse), pk, clock)
    assert (row(pk).error, row(pk).attempts) == ("Nobody is left to tell.", 1)
    assert row(pk).given_up_at is not None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (OSError(28, "No space left on device"), "No space left on device."),
        (KeyError("secret"), "An unexpected fault; the log of the worker has"),
    ],
)
def test_faults_that_nobody_foresaw_are_attempts_in_plain_words(
    clock, caplog, fault, words
):
    (pk,) = make_chores(1)

    def break_down(lease: Lease[NoticeMail]) -> None:
        raise fault

    work_on(Chore(break_down), pk, clock)
    assert row(pk).error.startswith(words)
    assert "secret" not in row(pk).error
    assert "Traceback" in caplog.text


# --- waiting --------------------------------------------------------------------


def away(lease: Lease[NoticeMail]) -> None:
    raise MustWait("The server is away.")


@pytest.mark.django_db
def test_waiting_spends_no_attempts_and_takes_longer_pauses(clock):
    (pk,) = make_chores(1)
    pauses = []
    for _ in range(7):
        work_on(Chore(away), pk, clock)
        assert (row(pk).state, row(pk).attempts) == ("queued", 0)
        assert row(pk).error == "The server is away."
        pauses.append((row(pk).due_at - clock.instant) // MINUTE)
        clock.instant = row(pk).due_at
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    work_on(Chore(lambda lease: lease.finish(**SENT)), pk, clock)
    assert (row(pk).state, row(pk).error, row(pk).attempts) == ("sent", "", 1)
    assert (row(pk).waits, row(pk).waiting_since) == (0, None)


@pytest.mark.django_db
def test_waiting_ends_after_its_longest_with_the_reason(clock):
    (pk,) = make_chores(1)
    work_on(Chore(away), pk, clock)
    clock.passes(2 * DAY - MINUTE)
    work_on(Chore(away), pk, clock)
    assert row(pk).given_up_at is None
    clock.instant = row(pk).due_at
    work_on(Chore(away), pk, clock)
    told = "Given up after waiting for 2 days. The server is away."
    assert (row(pk).error, row(pk).attempts) == (told, 1)
    assert row(pk).given_up_at == clock.instant


# --- the sweep ------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_sweep_wakes_what_nobody_works_on(clock):
    kind = Chore()
    keys = make_chores(6)
    fresh, lapsed, leased, later, over, sent = keys
    taken(kind, lapsed, clock)
    clock.passes(10 * MINUTE)
    taken(kind, leased, clock)
    taken(failing(""), later, clock).fail("Broken.")
    taken(kind, over, clock).give_up("Hopeless.")
    taken(kind, sent, clock).finish(**SENT)
    assert sweep(kind, clock()) == 2
    assert kind.bell.rung == [fresh, lapsed]


@pytest.mark.django_db(transaction=True)
def test_without_the_broker_the_job_only_waits_for_the_sweep(clock, monkeypatch):
    """Nobody's request fails, and no attempt is spent."""
    monkeypatch.setattr(wake, "breaker", wake._Breaker())
    kind, calls = Chore(), []

    def unreachable(pk: int) -> None:
        calls.append(pk)
        raise OperationalError("nobody listens")

    monkeypatch.setattr(kind.bell, "delay", unreachable)
    keys = make_chores(3)
    assert sweep(kind, clock()) == 3
    assert calls == keys[:1], "after the first the breaker is open"
    assert list(due(kind, clock())) == list(NoticeMail.objects.order_by("pk"))
    assert [row(pk).attempts for pk in keys] == [0, 0, 0]
