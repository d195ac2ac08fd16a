"""RE-08: clocks that jump or differ lose nothing and take nothing away from anybody.

Since when something is known, the order of events and the end of leases are told by the
database; a machine whose clock differs is told so by its probe.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import time_machine

from controls.history import chain
from controls.history.clock import knowledge_now
from controls.models import AuditEvent
from evidence.jobs.leases import due, take
from evidence.models import EvidenceLink, NoticeMail
from evidence.notices.mailing import MAILS
from tests.evidence import house as houses
from tests.evidence.house import House, submitted
from tests.evidence.jobs.chores import make_chores
from tests.evidence.reviews.hands import accepted

pytestmark = pytest.mark.django_db
HOUR = 3600  # seconds
JUMPS = (HOUR, -HOUR)


@contextmanager
def jumped(seconds: int) -> Iterator[None]:
    """Inside, the clock of this machine is so much ahead; the database keeps time."""
    with time_machine.travel(time.time() + seconds, tick=True):
        yield


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.mark.parametrize("seconds", JUMPS)
def test_what_is_written_is_known_since_the_databases_now(house, seconds) -> None:
    before = knowledge_now()
    with jumped(seconds):
        link = submitted(house)
        accepted(link)
    stored = EvidenceLink.objects.get(pk=link.pk)
    assert stored.state == "accepted"
    events = AuditEvent.objects.filter(recorded_at__gte=before).order_by("seq")
    instants = list(events.values_list("recorded_at", flat=True))
    assert instants
    assert max(instants) < before + dt.timedelta(seconds=HOUR / 2)


def test_the_chain_follows_whatever_the_clock_did(house) -> None:
    """Its order is that of writing: forward, back, and where it was."""
    for text, seconds in (("one", HOUR), ("two", -HOUR), ("three", 0)):
        with jumped(seconds):
            submitted(house, text)
    assert list(chain.verify_all()) == []
    assert AuditEvent.objects.filter(verb="evidence.submitted").count() == 3


@pytest.mark.parametrize("seconds", JUMPS)
def test_a_worker_takes_no_job_from_another(house, seconds) -> None:
    """However far apart the clocks of two workers are."""
    (pk,) = make_chores(1)
    lease = take(MAILS, pk)
    assert lease is not None
    with jumped(seconds):
        assert not due(MAILS).filter(pk=pk).exists()
        assert take(MAILS, pk) is None
        lease.renew()
    lease.finish(state="sent")
    assert NoticeMail.objects.get(pk=pk).state == "sent"


@pytest.mark.parametrize("seconds", [0, *JUMPS])
def test_the_probe_says_how_far_the_clock_is_off(client, caplog, seconds) -> None:
    """And stays green: pages work."""
    with jumped(seconds):
        answer = client.get("/readyz")
    assert abs(answer.json()["clock_ahead_seconds"] - seconds) <= 3
    told = [record for record in caplog.records if record.name == "srm.clock"]
    assert bool(told) is bool(seconds)
    assert answer.json()["ready"] is answer.json()["evidence_store"]
