-- Logs of other systems (bin/manage decay): beside our tables, in no one's way, and gone by one statement.
CREATE SCHEMA study;
CREATE TABLE study.line (
  log text NOT NULL, case_key text NOT NULL, n integer NOT NULL, at timestamptz NOT NULL,
  team text NOT NULL, person text NOT NULL DEFAULT '', missed boolean,
  PRIMARY KEY (log, n)
);
CREATE INDEX line_case ON study.line (log, case_key, at, n);
