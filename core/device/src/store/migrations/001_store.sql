-- The store of one device, version 1.
-- Rules: STRICT tables, NOT NULL with a default, explicit columns; a column never changes its meaning.
-- The change is the truth; what stands in `record` beside its key is a view of it and can be rebuilt.

-- What the device is: keys, grant, token, counters. Keys of rows: see meta.rs.
CREATE TABLE meta (
  name  TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- A record that the device holds, with the columns that lists read.
CREATE TABLE record (
  row         INTEGER PRIMARY KEY,
  kind        INTEGER NOT NULL,
  id          BLOB    NOT NULL,
  case_id     BLOB    NOT NULL DEFAULT x'',      -- empty: about nobody
  generation  INTEGER NOT NULL DEFAULT 0,
  title       TEXT    NOT NULL DEFAULT '',
  title_key   TEXT    NOT NULL DEFAULT '',       -- the title folded, for its order
  search      TEXT    NOT NULL DEFAULT '',       -- folded: lowercase, no diacritics
  point       TEXT    NOT NULL DEFAULT '',
  number      TEXT    NOT NULL DEFAULT '',       -- case number, of a case
  sort_at     TEXT    NOT NULL DEFAULT '',
  conflicts   INTEGER NOT NULL DEFAULT 0,        -- fields or items with concurrent values
  awaiting    INTEGER NOT NULL DEFAULT 0,        -- events without a ruling
  columns     TEXT    NOT NULL DEFAULT '{}',     -- further columns of the kind's view, as JSON; never searched or sorted
  changed_ms  INTEGER NOT NULL DEFAULT 0,        -- device clock, when this device last stored a change of it
  server_ms   INTEGER NOT NULL DEFAULT 0,        -- server clock, when the server last received a change; 0: never
  seen_ms     INTEGER NOT NULL DEFAULT 0,        -- server clock, when a mission's device was last known to hold it
  seen_by     TEXT    NOT NULL DEFAULT ''        -- that mission's country
) STRICT;
CREATE UNIQUE INDEX record_key ON record (kind, id);
CREATE INDEX record_case ON record (case_id, kind);
CREATE INDEX record_title ON record (kind, title_key, row);
CREATE INDEX record_point_title ON record (kind, point, title_key, row);
CREATE INDEX record_sort_at ON record (kind, sort_at, row);
CREATE INDEX record_number ON record (number) WHERE number <> '';
CREATE INDEX record_conflicts ON record (kind, row) WHERE conflicts > 0;

-- Changes in the order in which they were admitted here: dependencies first.
CREATE TABLE change (
  row         INTEGER PRIMARY KEY,
  record      INTEGER NOT NULL REFERENCES record (row) ON DELETE CASCADE,
  hash        BLOB    NOT NULL,
  actor       BLOB    NOT NULL DEFAULT x'',      -- empty: opaque, of a kind that this build does not know
  seq         INTEGER NOT NULL DEFAULT 0,
  max_op      INTEGER NOT NULL DEFAULT 0,
  chunk       BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX change_record ON change (record, hash);

-- Own changes that the server has not acknowledged. They hold their bytes themselves: a record may leave before they do.
CREATE TABLE outbox (
  seq            INTEGER PRIMARY KEY AUTOINCREMENT,
  change_set     INTEGER NOT NULL,
  kind           INTEGER NOT NULL,
  id             BLOB    NOT NULL,
  case_id        BLOB    NOT NULL DEFAULT x'',
  generation     INTEGER NOT NULL DEFAULT 0,
  hash           BLOB    NOT NULL,
  incarnation    BLOB    NOT NULL,
  grant_revision INTEGER NOT NULL,
  saved_ms       INTEGER NOT NULL,
  chunk          BLOB    NOT NULL
) STRICT;
CREATE INDEX outbox_record ON outbox (kind, id);
CREATE INDEX outbox_set ON outbox (change_set);

-- What is handed in beside the push, without a sender.
CREATE TABLE deposit (
  seq   INTEGER PRIMARY KEY AUTOINCREMENT,
  id    BLOB NOT NULL UNIQUE,
  body  TEXT NOT NULL
) STRICT;

-- Work that was not admitted, as field edits.
CREATE TABLE refused (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  change_set INTEGER NOT NULL DEFAULT 0,
  kind       INTEGER NOT NULL,
  id         BLOB    NOT NULL,
  case_id    BLOB    NOT NULL DEFAULT x'',
  field      TEXT    NOT NULL DEFAULT '',
  item       TEXT    NOT NULL DEFAULT '',
  value      TEXT    NOT NULL DEFAULT '',        -- JSON of the write; empty once its record left the device
  code       TEXT    NOT NULL,
  outcome    TEXT    NOT NULL,                   -- refused, quarantined, reissued
  saved_ms   INTEGER NOT NULL,                   -- device clock, when it was refused
  settled    INTEGER NOT NULL DEFAULT 0          -- 1: reissued, dismissed, or written anew
) STRICT;
CREATE INDEX refused_record ON refused (kind, id) WHERE settled = 0;

-- How far each audience's log was applied.
CREATE TABLE cursor (
  audience  TEXT    NOT NULL PRIMARY KEY,
  position  INTEGER NOT NULL DEFAULT 0,
  synced_ms INTEGER NOT NULL DEFAULT 0           -- device clock, when the log's end was last reached
) STRICT, WITHOUT ROWID;

-- Through which audiences the device holds a record.
CREATE TABLE holding (
  audience TEXT    NOT NULL,
  record   INTEGER NOT NULL REFERENCES record (row) ON DELETE CASCADE,
  position INTEGER NOT NULL DEFAULT 0,           -- last change by the points' side; what the mission must have seen
  seen     INTEGER NOT NULL DEFAULT 0,           -- last position that a mission has
  PRIMARY KEY (audience, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX holding_record ON holding (record);

-- Who an actor is.
CREATE TABLE author (
  actor BLOB NOT NULL PRIMARY KEY,
  name  TEXT NOT NULL DEFAULT '',                -- empty: not told to this device
  role  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Changes of a page whose dependencies this device does not have yet. They are tried again with the record's next change.
CREATE TABLE parked (
  kind       INTEGER NOT NULL,
  id         BLOB    NOT NULL,
  case_id    BLOB    NOT NULL DEFAULT x'',
  generation INTEGER NOT NULL DEFAULT 0,
  hash       BLOB    NOT NULL,
  chunk      BLOB    NOT NULL,
  PRIMARY KEY (kind, id, hash)
) STRICT;
