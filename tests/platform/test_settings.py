"""A wrong setting stops the start and says why; every setting is described."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
GOOD = {
    "PATH": os.environ["PATH"],
    "SECRET_KEY": "a" * 50,
    "DATABASE_URL": "postgresql://app@localhost/srm",
}
S3 = {"EVIDENCE_STORE": "s3://bucket/prefix", "WORK_FOLDER": "/tmp"}
# Set by our own commands, not by people.
INTERNAL = {
    "SCRIPT_NAME",
    "SRM_PROCESS",
    "SRM_ROLE",
    "SRM_WITHOUT_SECRETS",
    "STATIC_ROOT",
}
ELSEWHERE = {
    "PORT",
    "HOST",
    "SRM_STATE",
    "DEMO_FOR_OTHERS",
}  # read by srm_project/local


def start(**changed: str) -> str:
    """What importing the settings says on stderr, empty when it works."""
    done = subprocess.run(
        [sys.executable, "-c", "import srm_project.settings"],
        env=GOOD | changed,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr if done.returncode else ""


def test_good_settings_start():
    assert start() == ""


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"DEBUG": "yes", "ALLOWED_HOSTS": "srm.example.org"}, "DEBUG"),
        ({"SAML_ISSUER": "x"}, "SAML_SIGN_IN_ADDRESS"),
        ({"DEBUG": "perhaps"}, "DEBUG='perhaps'"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS"),
        ({"DATABASE_URL": "mysql://localhost/srm"}, "postgresql"),
        ({"MAX_UPLOAD_BYTES": "5 MB"}, "MAX_UPLOAD_BYTES"),
        ({"EVIDENCE_STORE": "gs://bucket"}, "EVIDENCE_STORE"),
        ({"EVIDENCE_STORE": "s3://", "WORK_FOLDER": "/tmp"}, "s3://bucket"),
        ({"EVIDENCE_STORE": "s3://Bucket", "WORK_FOLDER": "/tmp"}, "s3://bucket"),
        ({"EVIDENCE_STORE": "s3://bucket?x=1", "WORK_FOLDER": "/tmp"}, "s3://bucket"),
        ({"EVIDENCE_STORE": "s3://bucket"}, "WORK_FOLDER"),
        (S3 | {"EVIDENCE_S3_ENDPOINT": "minio:9000"}, "EVIDENCE_S3_ENDPOINT"),
        (S3 | {"EVIDENCE_S3_RETENTION_MODE": "FOREVER"}, "RETENTION_MODE"),
        (S3 | {"EVIDENCE_S3_RETENTION_MODE": "GOVERNANCE"}, "RETENTION_DAYS"),
        (S3 | {"EVIDENCE_S3_RETENTION_DAYS": "7"}, "RETENTION_MODE"),
        (S3 | {"MAX_UPLOAD_BYTES": "6000000000"}, "MAX_UPLOAD_BYTES"),
        ({"EVIDENCE_S3_REGION": "us-east-1"}, "EVIDENCE_S3_REGION"),
        ({"WORK_FOLDER": "s3://bucket"}, "WORK_FOLDER"),
        ({"DATABASE_URL": "postgresql://a:p#q@h:5432/srm"}, "percent-encoded"),
        ({"DATABASE_URL": "postgresql://a:p/q@h:5432/srm"}, "percent-encoded"),
        ({"DATABASE_URL": "postgresql://a:p?q@h:5432/srm"}, "percent-encoded"),
        ({"DATABASE_URL": "postgresql://a:p[q@h:5432/srm"}, "percent-encoded"),
        ({"DATABASE_URL": "postgresql://a:p%q@h:5432/srm"}, "percent-encoded"),
        ({"DATABASE_URL": "postgresql://a@h/srm?sslmod=require"}, "'sslmod'"),
        ({"SITE_URL": "https://example.org/srm"}, "below a path"),
        ({"EVIDENCE_S3_LEGAL_HOLD": "yes"}, "EVIDENCE_S3_LEGAL_HOLD is only for"),
        ({"HSTS_PRELOAD": "yes", "SITE_URL": "https://x.org"}, "HSTS_SUBDOMAINS"),
    ],
)
def test_a_wrong_setting_stops_the_start(changed, said):
    """AZ-11."""
    told = start(**changed)
    assert "ImproperlyConfigured" in told
    assert said in told.splitlines()[-1]


def test_a_bucket_may_be_the_store():
    retention = {
        "EVIDENCE_S3_RETENTION_MODE": "compliance",
        "EVIDENCE_S3_RETENTION_DAYS": "2555",
        "EVIDENCE_S3_LEGAL_HOLD": "yes",
    }
    assert start(**S3, **retention) == ""


def test_a_secret_may_come_from_a_file(tmp_path):
    (tmp_path / "key").write_text("b" * 60 + "\n")
    assert start(SECRET_KEY="", SECRET_KEY_FILE=str(tmp_path / "key")) == ""


def test_the_example_names_every_setting_and_no_other():
    source = (ROOT / "srm_project" / "settings.py").read_text()
    read = set(re.findall(r'\benv(?:_bool|_int|_secret)?\(\s*"([A-Z0-9_]+)"', source))
    example = (ROOT / ".env.example").read_text()
    described = set(re.findall(r"^([A-Z0-9_]+)=", example, re.M))
    assert described - ELSEWHERE == read - INTERNAL
