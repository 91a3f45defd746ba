"""The API's addresses."""

from django.urls import path

from makegood.api.door import api

urlpatterns = [path("v1/", api.urls)]
