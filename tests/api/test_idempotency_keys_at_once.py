"""RE-03: two requests at once under one key have one effect."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from controls import idempotency
from evidence.exports import jobs
from evidence.models import Export
from tests.api.keyed import Asking, built


@pytest.fixture
def slow_export(monkeypatch) -> dict[str, threading.Event]:
    """Exports whose first request goes on when the test says so."""
    gates = {"begun": threading.Event(), "go": threading.Event()}
    real = jobs.request_export

    def slow(*args: Any, **kwargs: Any) -> Export:
        gates["begun"].set()
        assert gates["go"].wait(20)
        return real(*args, **kwargs)

    monkeypatch.setattr(jobs, "request_export", slow)
    return gates


def in_thread(asking: Asking, answers: list[Any]) -> threading.Thread:
    """The same request on a connection of its own."""

    def send() -> None:
        try:
            answers.append(asking.answer("k-1"))
        finally:
            connection.close()

    thread = threading.Thread(target=send)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
def test_two_at_once_have_one_effect(settings, tmp_path, slow_export) -> None:
    """The second waits for the first and gets its answer."""
    world, answers = built(settings, tmp_path), []
    before = Export.objects.count()
    first = in_thread(Asking(world, "export-list"), answers)
    assert slow_export["begun"].wait(20)
    second = in_thread(Asking(world, "export-list"), answers)
    second.join(0.5)
    assert second.is_alive() and not answers
    slow_export["go"].set()
    first.join(20)
    second.join(20)
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert Export.objects.count() == before + 1


@pytest.mark.django_db(transaction=True)
def test_who_waits_too_long_is_told_when_to_come_again(
    settings, tmp_path, slow_export, monkeypatch
) -> None:
    monkeypatch.setattr(idempotency, "MAX_WAIT", 0.3)
    world, answers = built(settings, tmp_path), []
    first = in_thread(Asking(world, "export-list"), answers)
    assert slow_export["begun"].wait(20)
    busy = Asking(world, "export-list").answer("k-1")
    assert (busy.status_code, busy["Retry-After"]) == (409, "10")
    slow_export["go"].set()
    first.join(20)
    assert answers[0].status_code == 202
    assert Asking(world, "export-list").answer("k-1").json() == answers[0].json()


@pytest.mark.django_db(transaction=True)
def test_the_second_takes_over_where_the_first_is_refused(
    settings, tmp_path, slow_export, monkeypatch
) -> None:
    world, answers = built(settings, tmp_path), []
    slow = jobs.request_export

    def fails(*args: Any, **kwargs: Any) -> Export:
        export = slow(*args, **kwargs)
        monkeypatch.setattr(jobs, "request_export", slow)
        raise idempotency.Refused(f"Not {export.uuid}.")

    monkeypatch.setattr(jobs, "request_export", fails)
    before = Export.objects.count()
    first = in_thread(Asking(world, "export-list"), answers)
    assert slow_export["begun"].wait(20)
    second = in_thread(Asking(world, "export-list"), answers)
    slow_export["go"].set()
    first.join(20)
    second.join(20)
    assert sorted(answer.status_code for answer in answers) == [202, 400]
    assert Export.objects.count() == before + 1
