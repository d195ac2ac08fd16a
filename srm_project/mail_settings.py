"""Where mail goes, from one address: EMAIL_URL."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

BACKENDS = "django.core.mail.backends"
DEFAULT_PORTS = {"smtp": 25, "smtps": 465, "smtp+tls": 587}
EXPECTED_FORMS = (
    "EMAIL_URL is console:, file:///folder, smtp://user:password@host:port,"
    " smtps://… or smtp+tls://…"
)


def mail_settings(url: str) -> dict[str, Any]:
    """Django's EMAIL_* settings. Raises ImproperlyConfigured for anything else."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ImproperlyConfigured(EXPECTED_FORMS) from None
    if url == "console:":
        return {"EMAIL_BACKEND": f"{BACKENDS}.console.EmailBackend"}
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return {
            "EMAIL_BACKEND": f"{BACKENDS}.filebased.EmailBackend",
            "EMAIL_FILE_PATH": unquote(parts.path),
        }
    if parts.scheme in DEFAULT_PORTS and parts.hostname:
        return {
            "EMAIL_BACKEND": f"{BACKENDS}.smtp.EmailBackend",
            "EMAIL_HOST": parts.hostname,
            "EMAIL_PORT": _port(url) or DEFAULT_PORTS[parts.scheme],
            "EMAIL_HOST_USER": unquote(parts.username or ""),
            "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
            "EMAIL_USE_SSL": parts.scheme == "smtps",
            "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
            "EMAIL_TIMEOUT": 20,
        }
    raise ImproperlyConfigured(EXPECTED_FORMS)


def _port(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:
        raise ImproperlyConfigured(EXPECTED_FORMS) from None
