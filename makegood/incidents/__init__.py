"""Many hands on one problem: the war room of a case, its card, its tasks, and why it cannot be closed yet."""
