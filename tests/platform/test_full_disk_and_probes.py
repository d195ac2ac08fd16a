"""A full disk is said so and leaves nothing; probes name the machine by its address."""

from __future__ import annotations

import resource
import signal

import pytest
from django.core.cache import caches
from redis import Redis

from evidence.storage import LocalStore, StoreFull
from tests.disks import open_files_below

pytestmark = pytest.mark.django_db


@pytest.fixture
def tiny_disk():
    """Files of this process end at 200 kB; the kernel refuses more."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_leaves_no_file_and_no_descriptor(tmp_path, tiny_disk):
    """RE-07."""
    store = LocalStore(tmp_path)
    for _ in range(3):
        with pytest.raises(StoreFull) as full:
            store.put([b"x" * 150_000] * 2, limit=10**6)
        assert full.value.status_code == 507
    assert list(store.incoming.iterdir()) == []
    assert open_files_below(tmp_path) == []
    assert store.put([b"it fits"], limit=10).size_bytes == 7


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes_answer_by_address_and_over_http(client, settings, path):
    """RE-17."""
    settings.SECURE_SSL_REDIRECT = True
    assert client.get(path, headers={"host": "10.0.12.7:8000"}).status_code == 200
    assert client.get("/", headers={"host": "10.0.12.7:8000"}).status_code == 400


def test_what_cannot_be_read_is_refused_with_the_headers_of_every_page(client):
    """AZ-09."""
    answer = client.get("/%00")
    assert answer.status_code == 400
    assert "Content-Security-Policy" in answer
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_cache_without_memory_costs_no_page(client, settings):
    """RE-05: it answers, and with an error."""
    cache = caches["default"]
    server = Redis.from_url(settings.BROKER_URL)
    server.config_set("maxmemory", "1")
    try:
        assert cache.add("tries", 1, 60)
        assert cache.incr("tries") == 2
        assert client.get("/accounts/login/").status_code == 200
    finally:
        server.config_set("maxmemory", "0")
        cache.own.clear()
        cache.asked_again_at.clear()
