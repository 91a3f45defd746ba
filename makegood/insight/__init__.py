"""Reading across cases: figures from events, never a change."""
