"""One Django app; the nouns are plain packages inside it (docs/house.md)."""

from django.apps import AppConfig


class Makegood(AppConfig):
    name = "makegood"
    default_auto_field = "django.db.models.BigAutoField"
