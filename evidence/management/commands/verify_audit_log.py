"""The older name of `audit_verify`, for the scripts that call it."""

from __future__ import annotations

from evidence.management.commands.audit_verify import Command

__all__ = ["Command"]
