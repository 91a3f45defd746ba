"""The API door: parse, ask the desk, render as data. It decides nothing."""
