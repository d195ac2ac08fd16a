"""The page of responsibilities for a large system: statements, milliseconds, CPU.

    python -m srm_project.local with -m bench.matrix
    python -m srm_project.local with -m bench.matrix --baseline nist-all --services 60

Each figure is of one request within this process, after two that are not counted: the
median by the wall clock, and the median of processor time, which other programs on the
machine do not make longer by waiting (PostgreSQL's own is not among it). The same for
an end of the list and a filter; `expected` is what we expect of providers.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "srm_project.settings")
os.environ.setdefault("LOG_LEVEL", "WARNING")
TIMES = 15
REGION = "us-east-1"


def main() -> None:
    """Make a system that uses that many services, then measure its pages."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--baseline", default="fedramp-high")
    parser.add_argument("--services", type=int, default=30)
    parser.add_argument("--times", type=int, default=TIMES)
    options = parser.parse_args()
    os.environ["SRM_ROLE"] = "owner"
    for command in ("migrate", "load_reference"):
        subprocess.run([sys.executable, "manage.py", command, "-v", "0"], check=True)
    import django

    django.setup()
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["*"]
    settings.SECURE_SSL_REDIRECT = False
    settings.MFA_REQUIRED = False
    controls = make(options.baseline, options.services)
    print(f"{controls} controls, {options.services} services")
    print(f"load {os.getloadavg()[0]:.1f}")
    print(f"{'page':<22}{'status':>8}{'statements':>12}{'ms':>8}{'ms of CPU':>11}")
    for name, (address, query) in pages().items():
        print(f"{name:<22}{measured(address, query, options.times)}")


def pages() -> dict[str, tuple[str, Mapping[str, str]]]:
    """Address and query of each page by its name."""
    home = "/systems/bench/matrix/"
    return {
        "first page": (home, {}),
        "last page": (home, {"page": "999"}),
        "one service": (home, {"service": "s3"}),
        "our duties": (home, {"duty": "ours"}),
        "expected": (f"{home}expected-of-providers/", {}),
    }


def make(baseline: str, services: int) -> int:
    """A system on so many services of AWS, each from a year ago on; its controls."""
    from controls.models import Baseline, ServiceVariant, System, Team, User
    from evidence.systems.describe import Use, create_system

    boss = User.objects.create_superuser("bench@example.com", "x")
    variants = ServiceVariant.objects.filter(
        service__provider="aws", is_default=True, layers__isnull=False
    )
    chosen = list(variants.distinct().order_by("service__slug")[:services])
    first_day = dt.date.today() - dt.timedelta(days=365)
    system = System(
        baseline=Baseline.objects.get(slug=baseline),
        slug="bench",
        name="Bench",
        regime="fedramp",
        impact_level="high",
        window_start=first_day,
        window_end=dt.date.today(),
    )
    uses = [Use(variant, first_day, regions=[REGION]) for variant in chosen]
    team = Team.objects.create(name="Bench", slug="bench")
    create_system(system, uses, {"": team}, by=boss)
    return int(system.implementations.count())


def measured(address: str, query: Mapping[str, str], times: int) -> str:
    """Status, statements, and both medians in milliseconds."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from controls.models import User

    client = Client()
    client.force_login(User.objects.get(email="bench@example.com"))
    for _ in range(2):
        client.get(address, query)
    with CaptureQueriesContext(connection) as queries:
        status = client.get(address, query).status_code
        statements = len(queries)
    wall, work = [], []
    for _ in range(times):
        start, busy = time.perf_counter(), time.process_time()
        client.get(address, query)
        wall.append(time.perf_counter() - start)
        work.append(time.process_time() - busy)
    medians = (statistics.median(wall) * 1000, statistics.median(work) * 1000)
    return f"{status:>8}{statements:>12}{medians[0]:>8.0f}{medians[1]:>11.0f}"


if __name__ == "__main__":
    main()
