"""One JSON Schema for each type of event, the AsyncAPI document, and what makes them (``making.py``)."""
