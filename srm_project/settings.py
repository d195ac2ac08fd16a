"""Settings, all from the environment; a wrong value stops the start.

`.env.example` lists every variable with its unit and default. One file: all settings
stand in one place and are read from top to bottom.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured

from srm_project.database_settings import database_entry
from srm_project.mail_settings import mail_settings
from srm_project.saml_settings import saml_provider
from srm_project.sign_on_settings import sign_on_provider
from srm_project.store_settings import refuse_impossible_store

BASE_DIR = Path(__file__).resolve().parent.parent


def env(name: str, default: str = "") -> str:
    """The text of a variable."""
    return os.environ.get(name, default).strip()


def env_bool(name: str, default: bool) -> bool:
    """`1`, `true`, `yes`, `on` or their opposites. Raises ImproperlyConfigured."""
    text = env(name, "yes" if default else "no").lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={text!r} is neither yes nor no.")


def env_int(name: str, default: int) -> int:
    """A whole number. Raises ImproperlyConfigured."""
    text = env(name, str(default))
    if not text.isdigit():
        raise ImproperlyConfigured(f"{name}={text!r} is not a whole number.")
    return int(text)


def env_secret(name: str, default: str = "") -> str:
    """A secret from NAME, or from the file that NAME_FILE names."""
    path = env(f"{name}_FILE")
    if path:
        return Path(path).read_text(encoding="utf-8").strip()
    return env(name, default)


DEBUG = env_bool("DEBUG", False)
DEMO = env_bool("DEMO", False)
SITE_URL = env("SITE_URL", "http://localhost:8000").rstrip("/")
if urlsplit(SITE_URL).path or env("SCRIPT_NAME").strip("/"):
    raise ImproperlyConfigured(
        "SITE_URL is an address without a path: SRM has a host name of its own and"
        " does not run below a path. SCRIPT_NAME must be empty too."
    )
INSTANCE_NAME = env("INSTANCE_NAME", "srm")
ALLOWED_HOSTS = [
    host for host in env("ALLOWED_HOSTS", "localhost,127.0.0.1").split(",") if host
]
LOCAL = {"localhost", "127.0.0.1", "[::1]", "testserver"}
HTTPS = SITE_URL.startswith("https://")

SECRET_KEY = env_secret("SECRET_KEY")
WITHOUT_SECRETS = env_bool("SRM_WITHOUT_SECRETS", False)
if WITHOUT_SECRETS and not SECRET_KEY:
    SECRET_KEY = "only-for-commands-that-serve-nothing-and-sign-nothing-x"  # noqa: S105
if len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("SECRET_KEY must have at least 50 characters.")
if DEBUG and set(ALLOWED_HOSTS) - LOCAL:
    raise ImproperlyConfigured("DEBUG is for local hosts only.")
if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts that are served.")
SECRET_KEY_FALLBACKS = [
    key for key in env_secret("SECRET_KEY_FALLBACKS").split(",") if key
]


DATABASE_URL = env_secret("DATABASE_URL")
DATABASE_OWNER_URL = env_secret("DATABASE_OWNER_URL")
AS_OWNER = env("SRM_ROLE") == "owner" and bool(DATABASE_OWNER_URL)
# A pooler in transaction mode lies between: it serves each transaction by another
# connection, so nothing may outlive one.
DATABASE_POOLED = env_bool("DATABASE_POOLED", False)
APP_DATABASE = database_entry(
    DATABASE_URL or "postgresql://localhost/none",
    name="DATABASE_URL",
    pooled=DATABASE_POOLED,
)
DATABASE_OWNER = (
    database_entry(DATABASE_OWNER_URL, name="DATABASE_OWNER_URL")
    if DATABASE_OWNER_URL
    else None
)
DATABASES = {"default": DATABASE_OWNER if AS_OWNER and DATABASE_OWNER else APP_DATABASE}
APP_DATABASE_USER = APP_DATABASE["USER"]
# Seconds that a migration waits for a lock before it gives up; 0: without end.
MIGRATION_LOCK_TIMEOUT = env_int("MIGRATION_LOCK_TIMEOUT", 5)
if env("SRM_PROCESS") == "web":
    # One for each thread of a process: whoever waits for a slow store holds one, too.
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 20}

INSTALLED_APPS = [
    "controls",
    "evidence",
    "srm_project.apps.OperatorsAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
    "csp",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
]

MIDDLEWARE = [
    "srm_project.middleware.probe_middleware",
    "srm_project.middleware.request_id_middleware",
    "srm_project.file_places.file_places_middleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "srm_project.errors.long_address_middleware",
    "srm_project.middleware.readable_address_middleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "srm_project.middleware.session_lifetime_middleware",
    "srm_project.visitors_bodies.visitors_bodies_middleware",
    "srm_project.kept_forms.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "srm_project.errors.wrong_method_middleware",
    "srm_project.middleware.second_factor_middleware",
    "srm_project.refusals.record_refusals_middleware",
    "srm_project.roles_of_a_page.roles_of_a_page_middleware",
    "srm_project.middleware.auditor_read_only_middleware",
    "evidence.views.doors.PageOfDoorMiddleware",
    "evidence.views.carried_clocks.CarriedClocksMiddleware",
    "srm_project.once_more.OnceMoreMiddleware",
]

ROOT_URLCONF = "srm_project.urls"
WSGI_APPLICATION = "srm_project.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "controls.views.menu.frame",
                "evidence.views.header.counts",
                "evidence.views.once.form_token",
                "srm_project.typed.for_templates",
                "srm_project.kept_forms.for_templates",
            ],
        },
    },
]

AUTH_USER_MODEL = "controls.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "srm_project.accounts.ClosedAccounts"
ACCOUNT_FORMS = {
    "login": "srm_project.account_forms.SignInForm",
    "reset_password": "srm_project.account_forms.ForgottenPasswordForm",
    "reset_password_from_key": "srm_project.account_forms.NewPasswordForm",
    "change_password": "srm_project.account_forms.ChangePasswordForm",
    "set_password": "srm_project.account_forms.SetPasswordForm",
    "reauthenticate": "srm_project.account_forms.ConfirmPasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
# Addresses are changed on pages of ours (controls/accounts/addresses.py), after typing
# the password or second factor again; this is for whatever allauth changes by itself.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# Minutes for which a typed password or code counts for what is far-reaching (AZ-12).
PROVE_AGAIN_AFTER_MINUTES = env_int("PROVE_AGAIN_AFTER_MINUTES", 15)
if not 1 <= PROVE_AGAIN_AFTER_MINUTES <= 12 * 60:
    raise ImproperlyConfigured("PROVE_AGAIN_AFTER_MINUTES is from 1 to 720.")
ACCOUNT_REAUTHENTICATION_TIMEOUT = PROVE_AGAIN_AFTER_MINUTES * 60
vars().update(mail_settings(env_secret("EMAIL_URL", "console:")))
SENDS_MAIL = not vars()["EMAIL_BACKEND"].endswith("console.EmailBackend")
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""  # each subject names SRM
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60  # seconds; the mail with the link says it
DEFAULT_FROM_EMAIL = env("EMAIL_FROM", "srm@localhost")
# Days after which proof that is overdue is told to the officers as well.
ESCALATE_AFTER_DAYS = env_int("ESCALATE_AFTER_DAYS", 14)
MIN_NOTICES_KEPT_DAYS = 14
# Days for which notices that are over, and news that was read, are kept.
NOTICES_KEPT_DAYS = env_int("NOTICES_KEPT_DAYS", 90)
if NOTICES_KEPT_DAYS < MIN_NOTICES_KEPT_DAYS:
    raise ImproperlyConfigured(
        f"NOTICES_KEPT_DAYS={NOTICES_KEPT_DAYS} is less than {MIN_NOTICES_KEPT_DAYS}:"
        " whoever reads mail once a week would find notices gone."
    )
# Administrators make the accounts, so that nobody can claim another's address.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_ADAPTER = "srm_project.accounts.SecondFactors"
MFA_FORMS = {
    "authenticate": "srm_project.account_forms.SecondFactorForm",
    "reauthenticate": "srm_project.account_forms.ConfirmCodeForm",
    "activate_totp": "srm_project.account_forms.SetUpAppForm",
    "add_webauthn": "srm_project.account_forms.AddKeyForm",
    "edit_webauthn": "srm_project.account_forms.RenameKeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_REQUIRED = env_bool("MFA_REQUIRED", not DEMO)
OPENID_PROVIDER = sign_on_provider(
    issuer=env("OIDC_ISSUER"),
    client_id=env("OIDC_CLIENT_ID"),
    client_secret=env_secret("OIDC_CLIENT_SECRET"),
    name=env("OIDC_NAME", "single sign-on"),
    scopes=env("OIDC_SCOPES", "openid profile email"),
    groups_claim=env("OIDC_GROUPS_CLAIM", "groups"),
    roles=env_secret("OIDC_ROLES"),
    second_factors=env("OIDC_SECOND_FACTORS"),
    link_by_email=env_bool("OIDC_LINK_BY_EMAIL", False),
)
SAML_PROVIDER = saml_provider(
    issuer=env("SAML_ISSUER"),
    sso_url=env("SAML_SIGN_IN_ADDRESS"),
    certificates=env_secret("SAML_CERTIFICATES"),
    name=env("SAML_NAME", "single sign-on"),
    address=f"{SITE_URL}/accounts/sign-on/saml/",
    audience=env("SAML_OUR_NAME") or f"{SITE_URL}/accounts/sign-on/saml/metadata/",
    name_id_format=env("SAML_NAME_ID_FORMAT"),
    subject_attribute=env("SAML_SUBJECT_ATTRIBUTE"),
    email_attribute=env("SAML_EMAIL_ATTRIBUTE"),
    groups_attribute=env("SAML_GROUPS_ATTRIBUTE", "groups"),
    roles=env_secret("SAML_ROLES"),
    second_factors=env("SAML_SECOND_FACTORS"),
    link_by_email=env_bool("SAML_LINK_BY_EMAIL", False),
    signed_responses=env_bool("SAML_SIGNED_RESPONSES", False),
)
if OPENID_PROVIDER and SAML_PROVIDER:
    raise ImproperlyConfigured(
        "OIDC_ISSUER and SAML_ISSUER name two providers. SRM trusts one: leave the"
        " other empty."
    )
# None: people sign in with address and password only.
SIGN_ON_PROVIDER = OPENID_PROVIDER or SAML_PROVIDER
SOCIALACCOUNT_ADAPTER = "srm_project.sign_on.OneProvider"
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5  # seconds

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = env("STATIC_ROOT") or None
STATICFILES_DIRS = [BASE_DIR / "srm_project" / "static"]

EVIDENCE_STORE = env("EVIDENCE_STORE", str(BASE_DIR / "var" / "evidence"))
EVIDENCE_S3_ENDPOINT = env("EVIDENCE_S3_ENDPOINT").rstrip("/")
EVIDENCE_S3_REGION = env("EVIDENCE_S3_REGION")
EVIDENCE_S3_RETENTION_MODE = env("EVIDENCE_S3_RETENTION_MODE").upper()
EVIDENCE_S3_RETENTION_DAYS = env_int("EVIDENCE_S3_RETENTION_DAYS", 0)
# Whether a legal hold of ours is put on the objects of the bucket as well.
EVIDENCE_S3_LEGAL_HOLD = env_bool("EVIDENCE_S3_LEGAL_HOLD", False)
WORK_FOLDER = env("WORK_FOLDER")
# PEM of the Ed25519 key that signs packages and checkpoints; absent: one is made.
SIGNING_KEY = env_secret("SIGNING_KEY").replace("\\n", "\n")
# Where signed checkpoints of the audit log are kept, and how many minutes lie between.
CHECKPOINT_FOLDER = env("CHECKPOINT_FOLDER")
if "://" in CHECKPOINT_FOLDER:
    raise ImproperlyConfigured("CHECKPOINT_FOLDER is a folder of this machine.")
CHECKPOINT_MINUTES = env_int("CHECKPOINT_MINUTES", 60)
if not 1 <= CHECKPOINT_MINUTES <= 24 * 60:
    raise ImproperlyConfigured("CHECKPOINT_MINUTES is from 1 to 1440.")
DATA_UPLOAD_MAX_NUMBER_FILES = None  # counted by our upload handler, with a sentence
# Forms are short, unless a view sets the handler that streams into the store.
FILE_UPLOAD_HANDLERS = [
    "srm_project.request_limits.SmallFormsOnly",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
# Seconds in which a body must arrive from somebody who is not signed in.
VISITOR_BODY_SECONDS = env_int("VISITOR_BODY_SECONDS", 10)
MAX_UPLOAD_BYTES = env_int("MAX_UPLOAD_BYTES", 500_000_000)
TEAM_BYTES_PER_DAY = env_int("TEAM_BYTES_PER_DAY", 20_000_000_000)
TEAM_FILES_PER_DAY = env_int("TEAM_FILES_PER_DAY", 5_000)
# Requests of one web process that may bring files at once, and that may open them; it
# needs more threads than both.
UPLOADS_AT_ONCE = env_int("UPLOADS_AT_ONCE", 8)
DOWNLOADS_AT_ONCE = env_int("DOWNLOADS_AT_ONCE", 6)
if UPLOADS_AT_ONCE < 1 or DOWNLOADS_AT_ONCE < 1:
    raise ImproperlyConfigured(
        "UPLOADS_AT_ONCE and DOWNLOADS_AT_ONCE must be 1 or more."
    )
refuse_impossible_store(
    EVIDENCE_STORE,
    endpoint=EVIDENCE_S3_ENDPOINT,
    region=EVIDENCE_S3_REGION,
    mode=EVIDENCE_S3_RETENTION_MODE,
    days=EVIDENCE_S3_RETENTION_DAYS,
    holds=EVIDENCE_S3_LEGAL_HOLD,
    work=WORK_FOLDER,
    max_upload_bytes=MAX_UPLOAD_BYTES,
)
# Days for which the file of a finished export is kept.
EXPORT_DAYS = env_int("EXPORT_DAYS", 14)
if EXPORT_DAYS < 1:
    raise ImproperlyConfigured("EXPORT_DAYS must be 1 or more.")
MIN_EXPORT_ROWS_DAYS = 30
# Days for which the row of an export is kept once it has ended and has no file.
EXPORT_ROWS_DAYS = env_int("EXPORT_ROWS_DAYS", 365)
if EXPORT_ROWS_DAYS < MIN_EXPORT_ROWS_DAYS:
    raise ImproperlyConfigured(
        f"EXPORT_ROWS_DAYS={EXPORT_ROWS_DAYS} is less than {MIN_EXPORT_ROWS_DAYS}:"
        " a request sent again under its key would make the export anew."
    )
# A worker that gives no sign of life for so long loses the export it makes.
EXPORT_LEASE_SECONDS = env_int("EXPORT_LEASE_SECONDS", 90)
if EXPORT_LEASE_SECONDS < 1:
    raise ImproperlyConfigured("EXPORT_LEASE_SECONDS must be 1 or more.")
CLAMAV_URL = env("CLAMAV_URL")
# The published catalog with the official text of the controls: NIST SP 800-53 rev 5,
# edition 5.2.0. Whatever the address answers has to have this digest.
CONTROL_TEXT_ADDRESS = env(
    "CONTROL_TEXT_ADDRESS",
    "https://raw.githubusercontent.com/usnistgov/oscal-content/main/nist.gov/SP800-53"
    "/rev5/json/NIST_SP-800-53_rev5_catalog.json",
)
CONTROL_TEXT_SHA256 = "1645df6a370dcb931db2e2d5d70c2f77bc89c38499a416c23a70eb2c0e595bcc"
if CLAMAV_URL and urlsplit(CLAMAV_URL).scheme not in {"tcp", "unix"}:
    raise ImproperlyConfigured("CLAMAV_URL is tcp://host:port or unix:///path.")

# Which reports AWS Artifact lists, read each night: off unless it is said. The role is
# assumed with its external id by whatever credentials the workers' machine has; what is
# registered is registered in the name of ARTIFACT_SYNC_AS, a registrar of reports.
ARTIFACT_SYNC = env_bool("ARTIFACT_SYNC", False)
ARTIFACT_SYNC_ROLE = env("ARTIFACT_SYNC_ROLE")
ARTIFACT_SYNC_EXTERNAL_ID = env_secret("ARTIFACT_SYNC_EXTERNAL_ID")
ARTIFACT_SYNC_AS = env("ARTIFACT_SYNC_AS")
ARTIFACT_SYNC_REGION = env("ARTIFACT_SYNC_REGION") or "us-east-1"
# Of what speaks like AWS Artifact and STS; empty: AWS itself.
ARTIFACT_SYNC_ENDPOINT = env("ARTIFACT_SYNC_ENDPOINT").rstrip("/")
if ARTIFACT_SYNC and not (
    ARTIFACT_SYNC_ROLE and ARTIFACT_SYNC_EXTERNAL_ID and ARTIFACT_SYNC_AS
):
    raise ImproperlyConfigured(
        "ARTIFACT_SYNC needs ARTIFACT_SYNC_ROLE, ARTIFACT_SYNC_EXTERNAL_ID and"
        " ARTIFACT_SYNC_AS."
    )

BROKER_URL = env_secret("BROKER_URL")
CELERY_BROKER_URL = BROKER_URL or "memory://"
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 1, "socket_timeout": 5}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_TIME_LIMIT = 600
# A worker's child gives its memory back by ending: after so many jobs or kilobytes.
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1_000
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000
CELERY_BEAT_SCHEDULE = {
    # Every 30 seconds: jobs that nobody works on.
    "sweep": {"task": "evidence.tasks.sweep", "schedule": 30.0},
    # Every minute: what people are told.
    "notices": {"task": "evidence.tasks.tell_people", "schedule": 60.0},
    # At night, UTC: bytes that no record names.
    "store": {
        "task": "evidence.tasks.sweep_store",
        "schedule": crontab(hour=3, minute=17),
    },
    # At night, UTC, where ARTIFACT_SYNC says so: which reports AWS Artifact lists.
    "artifacts": {
        "task": "evidence.tasks.sync_artifacts_at_night",
        "schedule": crontab(hour=4, minute=23),
    },
    # Every 5 minutes, where EVIDENCE_S3_LEGAL_HOLD says so: holds on new bytes.
    "holds": {"task": "evidence.tasks.set_legal_holds", "schedule": 300.0},
    # Hourly: files of exports that expired or whose owners may not read any more.
    "exports": {"task": "evidence.tasks.end_exports", "schedule": crontab(minute=37)},
    # Every hour, unless set otherwise: what the audit log is, kept outside of it.
    "checkpoints": {
        "task": "evidence.tasks.write_checkpoints",
        "schedule": CHECKPOINT_MINUTES * 60.0,
    },
    # At night, UTC: every event of the audit log.
    "audit-log": {
        "task": "evidence.tasks.verify_audit_log",
        "schedule": crontab(hour=2, minute=47),
    },
    # Just after midnight UTC and hourly for other zones: classes of the new day.
    "classes": {
        "task": "evidence.tasks.show_todays_classes",
        "schedule": crontab(minute=1),
    },
}

KNOX_TOKEN_MODEL = "knox.AuthToken"  # noqa: S105 - a model, not a secret
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "srm_project.tokens.OwnersToken",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "srm_project.tokens.ScopedToken",
        "controls.api.filters.KnownParameters",
    ],
    "DEFAULT_FILTER_BACKENDS": ["controls.api.filters.NamedFilters"],
    "DEFAULT_SCHEMA_CLASS": "srm_project.schema.AnswersSchema",
    "DEFAULT_PARSER_CLASSES": [
        "controls.api.bodies.KeptJSONParser",
        "controls.api.bodies.LinesFormParser",
        "controls.api.bodies.LinesMultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "srm_project.api.problem",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "SRM",
    "DESCRIPTION": (BASE_DIR / "controls" / "api" / "for_scripts.md").read_text(),
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",  # what follows it is the noun that groups
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    # From our own host: the policy below lets nothing in from elsewhere.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "none"},
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "srm_project.schema.with_refusals",
    ],
    "ENUM_NAME_OVERRIDES": {
        "ImplementationStatusEnum": (
            "controls.models.implementation_statements.STATEABLE"
        ),
        "ResponsibilityEnum": "controls.models.decisions.Responsibility",
        "EvidenceRequestStateEnum": "evidence.models.requests.EvidenceRequestState",
        "DispositionKindEnum": "evidence.models.findings.DispositionKind",
        "ItemKindEnum": "evidence.models.responses.ItemKind",
        "RequestStateEnum": "controls.models.requests.ApprovalState",
        "ExclusionStateEnum": "controls.models.requests.ExclusionState",
        "ClosingStateEnum": "evidence.models.closings.ClosingState",
        "ExportKindEnum": "evidence.models.exports.ExportKind",
        "ExportStateEnum": "evidence.models.exports.ExportState",
        "MarkStateEnum": "evidence.models.marks.MarkState",
        "EngagementKindEnum": "controls.models.engagements.EngagementKind",
        "RemovalStateEnum": "evidence.models.removals.RemovalState",
        "DocumentStateEnum": "controls.models.statements.DocumentState",
    },
}

SELF = "'self'"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": [SELF],
        "report-uri": ["/csp-report/"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(livez|readyz)$"]  # probes speak plain HTTP
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
# Both bind every host below this one for a year, so only who runs them all may say so.
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS and env_bool("HSTS_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD = HTTPS and env_bool("HSTS_PRELOAD", False)
if SECURE_HSTS_PRELOAD and not SECURE_HSTS_INCLUDE_SUBDOMAINS:
    raise ImproperlyConfigured("HSTS_PRELOAD=yes needs HSTS_SUBDOMAINS=yes.")
# Django warns where they are off, as they are unless somebody says so.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
BEHIND_PROXY = env_bool("BEHIND_PROXY", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# Attempts are counted per visitor, not per proxy.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
CSRF_TRUSTED_ORIGINS = [SITE_URL]
PREFIX = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{PREFIX}srm_{INSTANCE_NAME}_session"
CSRF_COOKIE_NAME = f"{PREFIX}srm_{INSTANCE_NAME}_csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "srm_project.kept_forms.csrf_failed"
# Idle for half an hour ends a session; one in use is renewed once a minute
# (`session_lifetime_middleware`).
SESSION_COOKIE_AGE = 30 * 60

CACHES = {
    "default": {
        "BACKEND": "srm_project.cache.SharedOrOwn",
        "LOCATION": BROKER_URL,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
    if BROKER_URL.startswith("redis")
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

LOG_FORMAT = env("LOG_FORMAT", "json")
if LOG_FORMAT not in {"json", "text"}:
    raise ImproperlyConfigured("LOG_FORMAT is json or text.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "srm_project.logs.JsonLines"},
        "text": {"()": "srm_project.logs.TextLines"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", "INFO")},
    # Both say hello at INFO.
    "loggers": {"pikepdf": {"level": "WARNING"}, "botocore": {"level": "WARNING"}},
}

# Files are served from where they lie; `collectstatic` is needed behind a proxy only.
WHITENOISE_USE_FINDERS = True
