"""A file of events through the kernel: which column means what (``mapping``), read (``reading``), run, judged."""
