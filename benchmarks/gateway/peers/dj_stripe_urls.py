from typing import Any

from django.urls import include, path

urlpatterns = [path("stripe/", include("djstripe.urls", namespace="djstripe"))]


def enqueue(trigger: Any, *_: Any, **__: Any) -> None:
    """Hands the stored event to a task queue; here to none."""
