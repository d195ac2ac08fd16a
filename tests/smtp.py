"""A real SMTP server on this machine, for the stories about mail."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from srm_project.mail_settings import mail_settings


class Postbox:
    """Keeps what it is sent; says no while `refusing`."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.refusing = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """What SMTP answers after the text of a mail."""
        if self.refusing:
            return "451 Not now"
        self.mails.append(message_from_bytes(envelope.content))
        return "250 Taken"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def postbox(settings: Any) -> Iterator[Postbox]:
    """The server, running, with the settings pointing at it."""
    box, port = Postbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    for name, value in mail_settings(f"smtp://127.0.0.1:{port}").items():
        setattr(settings, name, value)
    yield box
    controller.stop()
