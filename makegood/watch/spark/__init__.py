"""The watch on an engine that a house already has: the same kernel as the shard function of Spark Structured Streaming.

    files.write(folder, plan, batch)            # the log as Parquet files (bin/manage watch export does it from the house)
    job.drain(Job(plan, model, log, kept, out))  # Spark reads them, the kernel runs in its shards, findings are files
    sink.read(out)                               # what was found, each once

Nothing here imports pyspark but ``job`` and ``processor``, and they only when they are used (``extra.need``).
"""
