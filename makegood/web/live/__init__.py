"""The live part of the web door: streams of server-sent events, fed by PostgreSQL's LISTEN. See docs/mechanisms/live.md.

``door`` lets in, ``stream`` is one open page, ``hub`` listens and keeps them all, ``guests`` says who somebody is,
``pages`` hands everything else to Django. Only ``guests`` and the desk ask the database, in threads of their own.
"""
