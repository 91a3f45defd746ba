"""Measuring by hand: nothing here runs in tests or is part of the product."""
