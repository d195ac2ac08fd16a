"""A database address as Django takes it; whatever it says reaches the connection."""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg import conninfo
from psycopg.errors import ProgrammingError

# What Django's entry says in fields of its own, or sets for every connection itself.
IN_THE_ADDRESS = frozenset(
    {"host", "hostaddr", "port", "dbname", "user", "password", "client_encoding"}
)
EXPECTED = (
    "is not postgresql://user:password@host:port/name?sslmode=…. In user and password"
    " every character but letters, digits and -._~ is percent-encoded: # is %23, / is"
    " %2F, ? is %3F, @ is %40, % is %25, [ is %5B."
)
HEX = frozenset("0123456789abcdefABCDEF")


def database_entry(url: str, *, name: str, pooled: bool = False) -> dict[str, Any]:
    """A DATABASES entry from `postgresql://user:password@host:port/name?sslmode=…`.

    Every parameter that libpq knows reaches the connection. `pooled` is for a pooler
    in transaction mode in between: no server-side cursors, no prepared statements.
    Raises ImproperlyConfigured, naming the setting `name` and nothing of its secret.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise ImproperlyConfigured(f"{name} {EXPECTED}") from None
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ImproperlyConfigured(
            f"{name}: only postgresql:// database addresses work."
        )
    if parts.fragment or not _is_encoded(parts.netloc) or "/" in parts.path[1:]:
        raise ImproperlyConfigured(f"{name} {EXPECTED}")
    options: dict[str, Any] = _parameters(parts.query, name)
    # psycopg prepares only what asks for it, and through a pooler not even that.
    options["prepare_threshold"] = None if pooled else sys.maxsize
    return {
        "ENGINE": "controls.history.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(host),
        "PORT": str(port or ""),
        "CONN_MAX_AGE": 0,
        "DISABLE_SERVER_SIDE_CURSORS": pooled,
        "OPTIONS": options,
    }


def _is_encoded(text: str) -> bool:
    """Whether each % begins two hex digits, and only one @ divides it."""
    pieces = text.split("%")[1:]
    good = all(len(piece) > 1 and set(piece[:2]) <= HEX for piece in pieces)
    return good and text.count("@") <= 1


def _parameters(query: str, name: str) -> dict[str, str]:
    """The parameters after `?`, each known to libpq and none twice."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise ImproperlyConfigured(f"{name} {EXPECTED}") from None
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise ImproperlyConfigured(f"{name} says a parameter twice.")
    for parameter, value in pairs:
        if parameter in IN_THE_ADDRESS:
            text = f"{name}: {parameter} belongs before the ? of the address."
            raise ImproperlyConfigured(text)
        try:
            conninfo.make_conninfo(**{parameter: value})
        except (ProgrammingError, TypeError):
            text = f"{name}: PostgreSQL knows no parameter {parameter!r}."
            raise ImproperlyConfigured(text) from None
    return parameters
