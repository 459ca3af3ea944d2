"""Settings of a small django-ca site: run in the peer's own environment, never in ours."""

import os

_DATABASE = os.environ["BENCH_DATABASE"]
"""A folder with a PostgreSQL socket, or the path of an SQLite file."""
_POSTGRESQL = os.environ["BENCH_ENGINE"] == "postgresql"

SECRET_KEY = "benchmark"  # noqa: S105 - guards nothing: the site lives for a minute
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django_object_actions",
    "django_ca",
]
ROOT_URLCONF = "django_ca_urls"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "postgres",
        "HOST": _DATABASE,
        "CONN_MAX_AGE": None,
    }
    if _POSTGRESQL
    else {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": _DATABASE,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
        },
    }
}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "django-ca": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": os.environ["BENCH_KEYS"]},
    },
}
CA_DEFAULT_HOSTNAME = "ca.example.com"
CA_DEFAULT_PRIVATE_KEY_TYPE = "EC"
CA_DEFAULT_ELLIPTIC_CURVE = "secp256r1"
