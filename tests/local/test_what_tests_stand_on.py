"""The ground of all other tests: rights of the app, empty tables, no network."""

import socket

import psycopg
import pytest
import redis
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction

from controls.models import AuditEvent, Catalog, User


def test_nothing_leaves_this_machine():
    with socket.socket() as probe, pytest.raises(AssertionError, match="reach"):
        probe.connect(("192.0.2.1", 80))


@pytest.mark.django_db
def test_tests_have_the_rights_of_the_application():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("srm_app",)
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEvent.objects.update(verb="system.changed")


@pytest.mark.django_db
def test_reference_data_is_there_once():
    assert Catalog.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_a_transactional_test_leaves_nothing_behind(turn, owner_dsn):
    assert not User.objects.exists()
    assert Catalog.objects.exists()
    User.objects.create(email=f"{turn}@example.org")
    with psycopg.connect(owner_dsn) as owner:
        found = owner.execute("SELECT count(*) FROM controls_user").fetchone()
    assert found == (1,)


def test_a_worker_shares_its_cache_with_nobody(settings):
    cache.set("of-this-worker-alone", 1)
    broker = redis.Redis.from_url(settings.BROKER_URL)
    assert not [key for key in broker.keys("*") if b"of-this-worker-alone" in key]
    kept = redis.Redis.from_url(settings.CACHES["default"]["LOCATION"])
    assert [key for key in kept.keys("*") if b"of-this-worker-alone" in key]
