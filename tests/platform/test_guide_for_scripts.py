"""What the guide for scripts shows for cron, GitHub Actions and GitLab works as it is
written (UP-01): each command is taken from the guide and run by a shell."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from django.conf import settings as django_settings
from knox.models import AuthToken

from controls.models import TokenScope
from evidence.models import Evidence
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.one_day import TODAY

GUIDE = Path(django_settings.BASE_DIR) / "docs/guides/scripts.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.S | re.M)
CRON = re.compile(r"^(?:\S+ ){5}")


def commands() -> dict[str, list[str]]:
    """The shell commands of each block of the guide, by what it is for."""
    shell, cron, github, gitlab = BLOCK.findall(GUIDE.read_text())
    (job,) = yaml.safe_load(github[1])["jobs"].values()
    steps = [step["run"] for step in job["steps"] if "run" in step]
    return {
        "shell": [shell[1].replace("\\\n", " ")],
        "cron": [CRON.sub("", cron[1])],
        "github": steps,
        "gitlab": yaml.safe_load(gitlab[1])["evidence"]["script"],
    }


@pytest.fixture
def house(live_server, settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path / "store")
    settings.MFA_REQUIRED = False
    return houses.build()


def test_each_command_of_the_guide_brings_evidence(house, live_server, tmp_path):
    row = factories.ask_for(
        factories.implementation(house.system, "si-2"),
        "Patch report",
        grace_days=10,
        owner_team=house.team,
        operates_from=TODAY.replace(month=7, day=1),
    )
    token, secret = AuthToken.objects.create(house.alice)
    TokenScope.objects.create(token=token, name="cron", scope="write")
    work = tmp_path / "work"
    work.mkdir()
    (work / "token").write_text(secret)
    here = {
        "https://srm.example.org": live_server.url,
        "KEY": str(row.ask.uuid),
        "${{ secrets.SRM_TOKEN }}": secret,
        "/etc/srm-token": str(work / "token"),
        "/usr/local/bin/backup-report": str(work / "report.sh"),
        "/tmp/backups.csv": str(work / "backups.csv"),
    }
    for number, (name, lines) in enumerate(commands().items()):
        script = work / "report.sh"
        script.write_text(f"#!/bin/sh\necho host,missing,{name},{number}\n")
        script.chmod(0o755)
        (work / "report.csv").write_text(f"of the {name}\n")
        command = "\n".join(lines)
        for shown, real in here.items():
            command = command.replace(shown, real)
        done = subprocess.run(
            ["/bin/sh", "-e", "-c", command],
            cwd=work,
            env={"PATH": "/usr/bin:/bin", "SRM_TOKEN": secret},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, (name, done.stderr)
        answer = json.loads(done.stdout)
        assert answer["new"] is True, name
        assert answer["controls"] == ["si-2"], name
    months = Evidence.objects.order_by("pk").values_list("title", flat=True)
    assert list(months) == [
        "Patch report, July 2026",
        "Patch report, August 2026",
        "Patch report, September 2026",
        "Patch report, October 2026",
    ]
