"""What templates need of ours."""

from django import template

register = template.Library()
