"""The smallest site that the supervisor can start: what is tested here is the machine, not the product on it."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from makegood.settings import *  # noqa: F403

INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.staticfiles"]
AUTH_USER_MODEL = "auth.User"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
TEMPLATES: list[dict[str, object]] = []
LOCALE_PATHS: list[str] = []
STATICFILES_DIRS: list[str] = []
ROOT_URLCONF = "tests.supervise.tiny"


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("healthz", healthz)]
