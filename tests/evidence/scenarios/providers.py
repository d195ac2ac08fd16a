"""What scenarios of providers share: acts on days of the past, and short answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from controls.history.clock import clock_at
from controls.models import System, User
from evidence.artifacts import register
from evidence.artifacts.citations import cite, controls_of_provider
from evidence.artifacts.reliance import record_reliance
from evidence.models import Artifact, ArtifactVersion
from evidence.status.control_status import ControlStatus, control_statuses, window_of
from evidence.status.gather import Moment
from tests import factories

D = dt.date
READ = {"scope_note": "Read against what is in use.", "period_note": "Compared."}


def at(day: dt.date, hour: int = 9) -> Any:
    """Inside, rows are known since that hour of that day."""
    return clock_at(dt.datetime.combine(day, dt.time(hour), tzinfo=dt.UTC))


def end_of(day: dt.date) -> dt.datetime:
    """The end of a day in UTC, exclusive."""
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=dt.UTC)


@dataclass
class Desk:
    """A system with who registers and cites for it, and the second person."""

    system: System
    registrar: User
    second: User

    def series(self, title: str, controls: Sequence[str], **fields: Any) -> Artifact:
        """A series, registered and cited for controls of the system."""
        said = {"kind": "period", "scheme": "soc2", "provider": "AWS"} | fields
        artifact = register.register_artifact(
            title=title,
            series=title.lower().replace(" ", "-"),
            by=self.registrar,
            **said,
        )
        here = controls_of_provider(artifact, self.system, ref_ids=controls)
        cite(artifact, self.system, here, by=self.registrar)
        return artifact

    def report(
        self, artifact: Artifact, starts: dt.date, ends: dt.date | None, **scope: Any
    ) -> ArtifactVersion:
        """A report of the series, registered."""
        said = {"services": [], "regions": [], "sites": []} | scope
        return register.register_version(
            artifact,
            label=f"to {ends or starts}",
            starts=starts,
            ends=ends,
            by=self.registrar,
            **said,
        )

    def rely(self, report: ArtifactVersion, conclusion: str = "rely") -> None:
        """The second person's review of a report."""
        record_reliance(
            report, self.system, conclusion=conclusion, by=self.second, **READ
        )

    def answer(
        self, ref_id: str, on: dt.date, known_at: dt.datetime | None = None
    ) -> ControlStatus:
        """A control on a day, with its window, as known then or by now."""
        pk = factories.implementation(self.system, ref_id).pk
        window = window_of(self.system)
        moment = Moment(on, known_at)
        (found,) = control_statuses(self.system, moment, pks=[pk], window=window)
        return found

    def over_the_api(
        self, client: Any, ref_id: str, on: dt.date, known_at: dt.datetime | None = None
    ) -> dict[str, Any]:
        """The same as a program reads it."""
        address = reverse("system-control", args=[self.system.slug, ref_id])
        asked = {"on": on.isoformat()}
        if known_at:
            asked["known_at"] = known_at.isoformat()
        client.force_login(factories.administrator())
        answer = client.get(address, asked)
        assert answer.status_code == 200, answer.content
        body: dict[str, Any] = answer.json()
        return body


def days(found: Any) -> tuple[int, int, int, int]:
    """Audited, asserted, awaited and open days."""
    return (found.audited, found.asserted, found.awaited, found.open_days)


def by_provider(found: ControlStatus) -> dict[str, tuple[str, dt.date | None]]:
    """State and last day of each provider, by name."""
    return {part.name: (part.state, part.until) for part in found.status.providers}


def codes(reasons: Any) -> set[str]:
    """The codes of reasons."""
    return {reason.code for reason in reasons}
