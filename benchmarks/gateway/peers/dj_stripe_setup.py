"""Make dj-stripe's tables, register one webhook endpoint, and print its path."""

import os

import django
import psycopg

with psycopg.connect(host=os.environ["BENCH_PG"], user="postgres", dbname="postgres", autocommit=True) as conn:
    conn.execute("CREATE DATABASE dj_stripe")
django.setup()

from django.core.management import call_command  # noqa: E402
from djstripe.models import WebhookEndpoint  # noqa: E402

call_command("migrate", run_syncdb=True, verbosity=0)
endpoint = WebhookEndpoint.objects.create(
    id="we_benchmark",
    livemode=False,
    api_version="2026-07-29.dahlia",
    enabled_events=["*"],
    secret=os.environ["BENCH_SECRET"],
    status="enabled",
    url="http://127.0.0.1/",
    djstripe_validation_method="verify_signature",
)
print(f"/stripe/webhook/{endpoint.djstripe_uuid}/")
