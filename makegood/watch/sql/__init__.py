"""Learning and finding as SQL on the log: one definition, run by DuckDB and by Spark SQL (watch/sql/engines.py).

For backfill and for logs that do not fit into memory: what comes back is histograms and findings, never the log. The log has
the columns of watch/spark/files.py. Plain SQL and not Ibis: the two dialects agree in all that is used here, and Ibis would pin
sqlglot and PySpark to older versions (watch.md, traps a and b).
"""
