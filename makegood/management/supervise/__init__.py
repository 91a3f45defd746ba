"""What keeps Makegood alive on one machine: the embedded PostgreSQL, the supervisor of web and worker, the set-up steps.

Nothing here imports Django at module level: the supervisor must stay small, and must be able to say in one sentence
what is wrong before Django is able to start.
"""
