"""Webhooks out by Standard Webhooks: who is told of our events, and what was sent to them."""
