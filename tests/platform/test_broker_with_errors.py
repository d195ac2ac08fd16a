"""RE-05, RE-07: a broker that answers by errors, or not at all, costs no page.

A real one, brought into the state: its disk is full, its memory is, it may only be
read after a failover, it hangs.
"""

from __future__ import annotations

import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client
from django.urls import reverse
from redis import Redis
from redis.exceptions import RedisError

from controls.models import User
from evidence.exports.jobs import EXPORTS
from evidence.jobs.wake import breaker
from evidence.jobs.work import sweep
from evidence.models import EvidenceLink, Export
from srm_project.celery import app
from srm_project.local.valkey import CONFIG, wheel_program
from tests.disks import SmallDisk, small_disk
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, file
from tests.seaweed import free_ports

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "correct-horse-battery-staple"


@dataclass
class Broker:
    """A running one, its disk, and a client that looks behind the product's back."""

    url: str
    process: subprocess.Popen[bytes]
    disk: SmallDisk
    client: Redis

    def fill_memory(self) -> None:
        self.client.config_set("maxmemory", "1")

    def fill_disk(self) -> None:
        self.disk.fill()
        for _ in range(100):  # it notes it with its next write to the disk
            try:
                self.client.set("ballast", secrets.token_hex(5_000))
            except RedisError:
                return
            time.sleep(0.05)
        raise AssertionError("it takes everything on a full disk")

    def become_a_replica(self) -> None:
        self.client.replicaof("127.0.0.1", "1")

    def hang(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def recover(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.client.config_set("maxmemory", "0")
        self.client.replicaof("NO", "ONE")
        if self.disk.ballast.exists():
            self.disk.free()
        for _ in range(100):
            try:
                self.client.set("again", "1")
            except RedisError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("it does not recover")


@pytest.fixture
def broker(tmp_path: Path, settings: Any) -> Iterator[Broker]:
    """The broker and cache of this installation."""
    (port,), password = free_ports(1), secrets.token_hex(8)
    with small_disk(tmp_path / "broker") as disk:
        (tmp_path / "broker.conf").write_text(
            CONFIG.format(
                host="127.0.0.1",
                port=port,
                password=password,
                folder=disk.folder,
                kept="yes",
            )
        )
        process = subprocess.Popen(
            [str(wheel_program()), str(tmp_path / "broker.conf")],
            stdout=subprocess.DEVNULL,
        )
        url = f"redis://:{password}@127.0.0.1:{port}/0"
        client = Redis.from_url(url, socket_timeout=5)
        for _ in range(200):
            try:
                client.ping()
                break
            except RedisError:
                time.sleep(0.05)
        with at_broker(url, settings):
            yield Broker(url, process, disk, client)
        client.close()
        process.kill()
        process.wait()


class at_broker:
    """Inside, tasks are sent to the broker of this address and the cache is there."""

    def __init__(self, url: str, settings: Any) -> None:
        self.url, self.settings = url, settings

    def __enter__(self) -> None:
        self.before = app.conf.broker_url
        self.settings.BROKER_URL = self.url
        self.settings.CACHES = {
            "default": settings_of_cache(self.settings) | {"LOCATION": self.url}
        }
        self.connect(self.url)

    def __exit__(self, *failure: object) -> None:
        self.connect(self.before)

    def connect(self, url: str) -> None:
        app.conf.broker_url = url
        app.conf.broker_read_url = app.conf.broker_write_url = None
        app._pool = app.amqp._producer_pool = None
        waited_long_enough()


def settings_of_cache(settings: Any) -> dict[str, Any]:
    return dict(settings.CACHES["default"])


def waited_long_enough() -> None:
    """As if the pause after a failure were over."""
    breaker.closed_at = 0.0
    cache = caches["default"]
    cache.own.clear()
    cache.asked_again_at.clear()


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path / "store")
    settings.MFA_REQUIRED = False
    return houses.build()


def signed_in(house: House, name: str) -> Client:
    user = User.objects.get(pk=house.people[name].pk)
    user.set_password(SECRET)
    user.save()
    client = Client(raise_request_exception=False)
    login = {"login": user.email, "password": SECRET}
    assert client.post(reverse("account_login"), login).status_code == 302
    assert client.get("/systems/").status_code == 200
    return client


STATES: list[Callable[[Broker], None]] = [
    Broker.fill_memory,
    Broker.fill_disk,
    Broker.become_a_replica,
    Broker.hang,
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_people_sign_in_upload_and_ask_for_exports(house, broker, state) -> None:
    """`/readyz` names it, and what nobody was woken for is found by the sweep."""
    state(broker)
    alice, ray = signed_in(house, "alice"), signed_in(house, "ray")
    waited_long_enough()  # so that each of the following meets the broker itself
    place = {"slug": "shop", "uuid": house.requirement().uuid}
    body = {
        "title": "Report",
        "sensitivity": "internal",
        "performed_on": TODAY,
        "period_start": TODAY.replace(day=1),
        "period_end": TODAY,
        "collected_on": TODAY,
        "files": [file()],
    }
    answer = alice.post(reverse("evidence:upload", kwargs=place), body)
    assert answer.status_code == 302
    assert EvidenceLink.objects.count() == 1
    waited_long_enough()
    sent = {"system": "shop", "on": TODAY.isoformat()}
    assert ray.post("/exports/request/", sent).status_code == 302
    assert Export.objects.get().state == "queued"
    ready = Client().get("/readyz")
    assert (ready.status_code, ready.json()["broker"]) == (200, False)

    broker.recover()
    waited_long_enough()
    assert Client().get("/readyz").json()["broker"] is True
    assert broker.client.llen("celery") == 0
    assert sweep(EXPORTS) == 1
    assert broker.client.llen("celery") == 1, "a worker is woken again"
