"""UP-14: a client that goes away during an upload leaves neither row nor bytes."""

from __future__ import annotations

import logging
import socket
import struct
import time
from urllib.parse import urlsplit

import pytest
from django.conf import settings as configured
from django.db import connections
from django.test import Client
from django.urls import reverse

from evidence.models import Blob, Evidence
from evidence.storage import open_store
from tests.evidence import house as houses
from tests.evidence.house import House

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "a" * 32
BODY = b"line of a report\n" * 200_000  # 3.4 MB: many pieces
TAIL = b"\r\n--XX--\r\n"


@pytest.fixture(autouse=True)
def store(live_server, either_store: str, settings) -> str:
    settings.MFA_REQUIRED = False
    return either_store


@pytest.fixture
def house(store) -> House:
    return houses.build()


def head_of() -> bytes:
    """The fields of the form, up to the first byte of the file."""
    said = houses.patch_report()
    fields = {
        "csrfmiddlewaretoken": TOKEN,
        "title": said.title,
        "performed_on": said.performed_on,
        "period_start": said.period_start,
        "period_end": said.period_end,
        "collected_on": said.collected_on,
        "sensitivity": "internal",
    }
    parts = [
        f'--XX\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    file = 'name="files"; filename="report.txt"'
    parts.append(f"--XX\r\nContent-Disposition: form-data; {file}\r\n\r\n")
    return "".join(parts).encode()


def cookies_of(house: House) -> str:
    client = Client()
    client.force_login(house.alice)
    session = client.cookies[configured.SESSION_COOKIE_NAME].value
    names = configured.SESSION_COOKIE_NAME, configured.CSRF_COOKIE_NAME
    return f"{names[0]}={session}; {names[1]}={TOKEN}"


def connected(live_server, house: House, body: bytes) -> socket.socket:
    """A connection on which the headers of an upload have been sent."""
    where = urlsplit(live_server.url)
    asked = house.requirement()
    path = reverse("evidence:upload", args=[house.system.slug, asked.uuid])
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {where.netloc}",
        f"Origin: {live_server.url}",
        f"Cookie: {cookies_of(house)}",
        "Content-Type: multipart/form-data; boundary=XX",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    link = socket.create_connection((str(where.hostname), int(where.port or 80)))
    link.sendall("\r\n".join([*lines, "", ""]).encode())
    return link


def answered(caplog: pytest.LogCaptureFixture) -> str:
    """What the server logged of the upload, once it is done with it."""
    for _ in range(200):
        for record in caplog.records:
            if record.name == "srm.request" and "POST" in record.getMessage():
                return record.getMessage()
        time.sleep(0.05)
    raise TimeoutError("the server never finished")


def nothing_stays() -> None:
    assert not Evidence.objects.exists()
    assert not Blob.objects.exists()
    assert list(open_store().everything()) == []
    assert list(open_store().incoming.iterdir()) == []
    connections.close_all()


@pytest.mark.parametrize("how", ["closed", "reset"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_cut_off_nothing_stays(live_server, house, share, how, caplog):
    caplog.set_level(logging.INFO, "srm.request")
    body = head_of() + BODY + TAIL
    link = connected(live_server, house, body)
    link.sendall(body[: int(len(body) * share)])
    if how == "reset":
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    link.close()
    assert answered(caplog).endswith(" 400")
    nothing_stays()


def test_sent_whole_it_is_stored(live_server, house, caplog):
    caplog.set_level(logging.INFO, "srm.request")
    body = head_of() + BODY + TAIL
    with connected(live_server, house, body) as link:
        link.sendall(body)
        assert link.makefile("rb").readline().split()[1] == b"302"
    assert Evidence.objects.count() == 1
    blob = Blob.objects.get()
    assert blob.size_bytes == len(BODY)
    assert [each.sha256 for each in open_store().everything()] == [blob.sha256]
    connections.close_all()


def test_gone_before_the_file_began(live_server, house, caplog):
    caplog.set_level(logging.INFO, "srm.request")
    body = head_of() + BODY + TAIL
    link = connected(live_server, house, body)
    link.sendall(body[:200])
    link.close()
    assert answered(caplog).endswith((" 400", " 403"))
    nothing_stays()
