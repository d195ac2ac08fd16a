"""Facts of all of NIST's controls with many providers' reports: milliseconds, CPU.

    python -m srm_project.local with -m bench.providers

A system of 1,014 controls on 30 services, with 25 reports of three providers that each
speak to 400 controls in their recorded coverage, are relied on, and are cited for the
same. Each figure is of some runs within this process: the median and the least by the
wall clock, the median of its processor time, and PostgreSQL's own for each run (Linux:
of its process, in hundredths of a second over all runs). Facts as today's pages and
lists gather them, and as known then.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "srm_project.settings")
os.environ.setdefault("LOG_LEVEL", "WARNING")
TIMES = 15
MONTH = dt.timedelta(days=30)
# Series of each provider, and reports of each of them: 25 in all.
SERIES = [("AWS", 3, 5), ("Harbour Colocation", 1, 5), ("Polder Carrier", 1, 5)]


def main() -> None:
    """Make the system and its reports, then measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--baseline", default="nist-all")
    parser.add_argument("--services", type=int, default=30)
    parser.add_argument("--coverages", type=int, default=400)
    parser.add_argument("--times", type=int, default=TIMES)
    options = parser.parse_args()
    os.environ["SRM_ROLE"] = "owner"
    for command in ("migrate", "load_reference"):
        subprocess.run([sys.executable, "manage.py", command, "-v", "0"], check=True)
    import django

    django.setup()
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from bench.matrix import make
    from controls.history.clock import knowledge_now
    from controls.models import System
    from evidence.status.gather import Moment, gather

    controls = make(options.baseline, options.services)
    system = System.objects.get(slug="bench")
    reports = register(system, options.coverages)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    print(f"{controls} controls, {options.services} services, {reports} reports")
    print(f"load {os.getloadavg()[0]:.1f}")
    titles = f"{'facts':<16}{'statements':>12}{'ms':>8}{'least':>8}{'ms of CPU':>11}"
    print(f"{titles}{'of PostgreSQL':>15}")
    pks = list(system.implementations.order_by("pk").values_list("pk", flat=True))
    today = dt.date.today()
    for name, moment in {
        "today": Moment(today),
        "as known then": Moment(today, knowledge_now()),
    }.items():
        for _ in range(2):
            gather(system, pks, moment)
        with CaptureQueriesContext(connection) as queries:
            gather(system, pks, moment)
            statements = len(queries)
        wall, work = [], []
        before = busy_of(backend)
        for _ in range(options.times):
            start, busy = time.perf_counter(), time.process_time()
            gather(system, pks, moment)
            wall.append(time.perf_counter() - start)
            work.append(time.process_time() - busy)
        median, least = statistics.median(wall) * 1000, min(wall) * 1000
        busy = statistics.median(work) * 1000
        its_own = (busy_of(backend) - before) * 1000 / options.times
        print(
            f"{name:<16}{statements:>12}{median:>8.0f}{least:>8.0f}{busy:>11.0f}"
            f"{its_own:>15.0f}",
            flush=True,
        )


def busy_of(process: int) -> float:
    """Seconds of processor that a process has taken."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def register(system: object, coverages: int) -> int:
    """The reports, each relied on, with coverage and citations; how many."""
    from controls.models import Control, Service, User
    from controls.provider_names import provider_slug
    from evidence.models import (
        Artifact,
        ArtifactVersion,
        Citation,
        CoverageLine,
        RelianceReview,
    )

    boss, reader = User.objects.get(email="bench@example.com"), User.objects.create(
        email="reader@example.com"
    )  # fmt: skip
    controls = list(Control.objects.filter(implementations__system=system)[:coverages])
    slugs = list(Service.objects.values_list("slug", flat=True))
    today = dt.date.today()
    versions = []
    for provider, series, reports in SERIES:
        for number in range(series):
            artifact = Artifact.objects.create(
                registered_by=boss,
                title=f"{provider} {number}",
                provider=provider,
                provider_slug=provider_slug(provider),
                series=f"{provider_slug(provider)}-{number}",
                kind="period",
                scheme="soc2",
            )
            Citation.objects.bulk_create(
                Citation(
                    system=system, artifact=artifact, control=control, cited_by=boss
                )
                for control in controls
            )
            for place in range(reports):
                until = today - 6 * MONTH * place
                versions.append(
                    ArtifactVersion.objects.create(
                        artifact=artifact,
                        registered_by=boss,
                        label=f"Report {place}",
                        starts=until - 6 * MONTH,
                        until=until,
                        opinion="unqualified",
                        regions=["us-east-1"],
                        service_slugs=slugs,
                        sites=["*"] if provider != "AWS" else [],
                    )
                )
    CoverageLine.objects.bulk_create(
        CoverageLine(
            artifact_version=version,
            control=control,
            recorded_by=boss,
            confirmed_by=boss,
            section="IV",
            origin="typed",
        )
        for version in versions
        for control in controls
    )
    RelianceReview.objects.bulk_create(
        RelianceReview(
            artifact_version=version,
            system=system,
            reviewer=reader,
            reviewer_name="Reader",
            registered_by=boss,
            conclusion="rely",
            reviewed_on=today,
        )
        for version in versions
    )
    return len(versions)


if __name__ == "__main__":
    main()
