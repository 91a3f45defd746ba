"""What runs the SQL: DuckDB in this process, or Spark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from makegood.watch.plan import Plan
from makegood.watch.spark.extra import need
from makegood.watch.spark.files import fields, paths

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class Engine(Protocol):
    """``log`` is a table of the engine; ``put`` makes another."""

    def ask(self, sql: str) -> pa.Table:
        """The rows of a query."""

    def put(self, name: str, rows: pa.Table) -> None:
        """Rows as a table, in place of one that is called so."""

    def keep(self, name: str, sql: str) -> None:
        """A query as a table that is computed once, in place of one that is called so."""


class Duck:
    """DuckDB. ``memory``: what it may use ('4GB'); more goes to disk."""

    def __init__(self, plan: Plan, folder: Path, *, memory: str = "4GB", threads: int = 2) -> None:
        need("duckdb")
        import duckdb

        self.connection: Any = duckdb.connect(config={"memory_limit": memory, "threads": threads})
        names = [str(path) for path in paths(folder)]
        if not names:
            raise FileNotFoundError(f"{folder} holds no file of a log (part-….parquet)")
        kept = self.connection.read_parquet(names, union_by_name=True)
        self.connection.execute(f"CREATE VIEW log AS {_columns(plan, set(kept.columns), kept.sql_query())}")

    def ask(self, sql: str) -> pa.Table:
        found: pa.Table = self.connection.sql(sql).to_arrow_table()
        return found

    def put(self, name: str, rows: pa.Table) -> None:
        self.connection.register(name, rows)

    def keep(self, name: str, sql: str) -> None:
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}")


class Spark:
    """Spark SQL, in a session that there is."""

    def __init__(self, plan: Plan, folder: Path, session: SparkSession) -> None:
        self.session = session
        schema = ", ".join(f"{name} {kind}" for name, kind in fields(plan))
        kept = session.read.schema(schema).option("pathGlobFilter", "part-*.parquet").parquet(str(folder))
        kept.createOrReplaceTempView("kept")
        query = _columns(plan, {name for name, _kind in fields(plan)}, "SELECT * FROM kept")
        session.sql(query).createOrReplaceTempView("log")

    def ask(self, sql: str) -> pa.Table:
        found: pa.Table = self.session.sql(sql).toArrow()
        return found

    def put(self, name: str, rows: pa.Table) -> None:
        self.session.createDataFrame(rows).createOrReplaceTempView(name)

    def keep(self, name: str, sql: str) -> None:
        self.session.catalog.dropTempView(name)  # and with it what was cached
        self.session.sql(sql).persist().createOrReplaceTempView(name)


def _columns(plan: Plan, have: set[str], source: str) -> str:
    """Every column of the plan's log; 0 where the files have none, as the kernel reads them."""
    zero = {"event": "''", "amount": "0e0"}
    said = [
        f"coalesce({name}, {zero.get(name, '0')}) AS {name}"
        if name in have
        else f"{zero.get(name, '0')} AS {name}"
        for name, _kind in fields(plan)
    ]
    return f"SELECT {', '.join(said)} FROM ({source})"
