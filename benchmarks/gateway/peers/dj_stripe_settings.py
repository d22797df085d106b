"""Django as dj-stripe's documentation sets it up: signatures verified, events stored, handlers left to a task queue.

`DJSTRIPE_WEBHOOK_EVENT_CALLBACK` is what its documentation recommends so that a webhook is answered before its handlers
run; ours does nothing, which is the least that it can cost. Persistent database connections, DEBUG off.
"""

import os

SECRET_KEY = "benchmark"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "djstripe"]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "dj_stripe_urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "dj_stripe",
        "USER": "postgres",
        "HOST": os.environ["BENCH_PG"],
        "CONN_MAX_AGE": None,
    }
}
STRIPE_LIVE_MODE = False
STRIPE_TEST_SECRET_KEY = "sk_test_benchmark00000000000000"
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
DJSTRIPE_WEBHOOK_VALIDATION = "verify_signature"
DJSTRIPE_WEBHOOK_EVENT_CALLBACK = "dj_stripe_urls.enqueue"
LOGGING_CONFIG = None
# Its tables are made from its models at once; its chain of migrations takes minutes to the same end.
MIGRATION_MODULES = {"auth": None, "contenttypes": None, "djstripe": None}
