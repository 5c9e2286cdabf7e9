-- The store of one device, version 2: what packed pages, packs, reconciliation and exchange between phones keep.

-- Packs: what a new phone gets instead of a long log.

-- The segment that the record came in; 0: none. The segment may be gone since.
ALTER TABLE record ADD COLUMN segment INTEGER NOT NULL DEFAULT 0;
-- Changes that lie in that segment alone: the record is received, and not tried yet. 0: verified.
ALTER TABLE record ADD COLUMN received INTEGER NOT NULL DEFAULT 0;

-- Segments as they came, while something lies in them alone. Row numbers are never used again.
CREATE TABLE segment (
  row      INTEGER PRIMARY KEY AUTOINCREMENT,
  server   BLOB    NOT NULL,                     -- the key of the server that made it
  epoch    INTEGER NOT NULL,                     -- its epoch then
  audience TEXT    NOT NULL,                     -- by which the device holds what lies in it
  records  INTEGER NOT NULL,                     -- records that lie in it alone
  sum      BLOB    NOT NULL,                     -- the sum of their changes, as the seal says: see digest.rs
  folded   INTEGER NOT NULL DEFAULT 0,           -- so many of them have no row yet: see fold.rs
  came_ms  INTEGER NOT NULL,                     -- device clock, when it came
  names    BLOB    NOT NULL DEFAULT x''          -- while it is folded: the first 8 bytes of their ids and their cases' ids
) STRICT;
CREATE INDEX segment_folded ON segment (row) WHERE folded > 0;

-- A segment's blob stands apart: a long row is written whole whenever one of its numbers changes.
CREATE TABLE segment_blob (
  segment INTEGER PRIMARY KEY REFERENCES segment (row) ON DELETE CASCADE,
  blob    BLOB    NOT NULL
) STRICT;

-- The pack that an audience is being filled from, and how far that has come.
CREATE TABLE pack (
  audience      TEXT    NOT NULL PRIMARY KEY,
  id            BLOB    NOT NULL,
  segment       INTEGER NOT NULL DEFAULT 0,      -- the segment under way, from 0
  held          INTEGER NOT NULL DEFAULT 0,      -- bytes of its blob that are here
  seal          BLOB    NOT NULL DEFAULT x'',    -- its seal; empty before its first piece
  bytes         INTEGER NOT NULL DEFAULT 0,      -- bytes of the whole pack that came
  bytes_total   INTEGER NOT NULL DEFAULT 0,      -- 0: not told yet
  records       INTEGER NOT NULL DEFAULT 0,
  records_total INTEGER NOT NULL DEFAULT 0,
  recent_bytes  INTEGER NOT NULL DEFAULT 0,      -- bytes of the last pieces
  recent_ms     INTEGER NOT NULL DEFAULT 0,      -- and the milliseconds in which they came
  piece_ms      INTEGER NOT NULL DEFAULT 0       -- device clock, when the last piece came
) STRICT, WITHOUT ROWID;

-- What is here of the blob of the segment under way.
CREATE TABLE piece (
  audience TEXT    NOT NULL,
  at       INTEGER NOT NULL,
  bytes    BLOB    NOT NULL,
  PRIMARY KEY (audience, at)
) STRICT;

-- Pushes of other devices, as their authors signed them, until the server has what they hold.
CREATE TABLE carried (
  row            INTEGER PRIMARY KEY,
  signature      BLOB    NOT NULL UNIQUE,        -- the author's; it names the push
  device         BLOB    NOT NULL,               -- the author's
  incarnation    BLOB    NOT NULL,
  grant_revision INTEGER NOT NULL,
  epoch          INTEGER NOT NULL,
  signed_grant   BLOB    NOT NULL,               -- CBOR of the author's signed grant
  received_ms    INTEGER NOT NULL                -- device clock
) STRICT;

-- Every change of such a push, those that were not shown too: the signature covers them all.
CREATE TABLE carried_item (
  row        INTEGER PRIMARY KEY,
  carried    INTEGER NOT NULL REFERENCES carried (row) ON DELETE CASCADE,
  position   INTEGER NOT NULL,
  change_set INTEGER NOT NULL,
  leaf       BLOB    NOT NULL,
  state      INTEGER NOT NULL DEFAULT 0,         -- see carried/mod.rs
  kind       INTEGER NOT NULL DEFAULT 0,
  id         BLOB    NOT NULL DEFAULT x'',
  case_id    BLOB    NOT NULL DEFAULT x'',
  generation INTEGER NOT NULL DEFAULT 0,
  hash       BLOB    NOT NULL DEFAULT x'',
  chunk      BLOB    NOT NULL DEFAULT x''
) STRICT;
CREATE UNIQUE INDEX carried_item_position ON carried_item (carried, position);
CREATE INDEX carried_item_record ON carried_item (kind, id, hash);
CREATE INDEX carried_item_open ON carried_item (carried) WHERE state IN (1, 2, 5);

-- Devices that the server no longer lets in, as far as this one was told.
CREATE TABLE revoked_device (
  device BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Reconciliation. Sums are modulo 2^128, of the items of changes that the server acknowledged.
ALTER TABLE record ADD COLUMN digest BLOB NOT NULL DEFAULT x'00000000000000000000000000000000';  -- of its changes
ALTER TABLE cursor ADD COLUMN digest BLOB NOT NULL DEFAULT x'00000000000000000000000000000000';  -- of its records' changes

-- A record's changes stand together, in the order in which they were admitted: they are read and written as one.
CREATE TABLE change_of (
  record      INTEGER NOT NULL REFERENCES record (row) ON DELETE CASCADE,
  row         INTEGER NOT NULL,
  hash        BLOB    NOT NULL,
  actor       BLOB    NOT NULL DEFAULT x'',      -- empty: opaque, of a kind that this build does not know
  seq         INTEGER NOT NULL DEFAULT 0,
  max_op      INTEGER NOT NULL DEFAULT 0,
  chunk       BLOB    NOT NULL,
  received_ms INTEGER NOT NULL DEFAULT 0,        -- server clock, as the log said; 0: not from a log
  PRIMARY KEY (record, row)
) STRICT, WITHOUT ROWID;
INSERT INTO change_of (record, row, hash, actor, seq, max_op, chunk)
  SELECT record, row, hash, actor, seq, max_op, chunk FROM change;
DROP TABLE change;
ALTER TABLE change_of RENAME TO change;

-- A change set's rows follow one another, and their numbers begin with its own. Numbers are never used again: the highest one
-- that left is kept when it leaves, so that an edit need not write it.
CREATE TABLE outbox_left (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  seq INTEGER NOT NULL
) STRICT;
INSERT INTO outbox_left (one, seq)
  SELECT 1, coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox';
CREATE TABLE outbox_of (
  seq            INTEGER PRIMARY KEY,
  change_set     INTEGER NOT NULL,
  kind           INTEGER NOT NULL,
  id             BLOB    NOT NULL,
  case_id        BLOB    NOT NULL DEFAULT x'',
  generation     INTEGER NOT NULL DEFAULT 0,
  hash           BLOB    NOT NULL,
  incarnation    BLOB    NOT NULL,
  grant_revision INTEGER NOT NULL,
  saved_ms       INTEGER NOT NULL,
  chunk          BLOB    NOT NULL,
  again          INTEGER NOT NULL DEFAULT 0      -- 1: the server had acknowledged the change once, and lost it
) STRICT;
INSERT INTO outbox_of (seq, change_set, kind, id, case_id, generation, hash, incarnation, grant_revision, saved_ms, chunk)
  SELECT seq, change_set, kind, id, case_id, generation, hash, incarnation, grant_revision, saved_ms, chunk FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_of RENAME TO outbox;
CREATE INDEX outbox_record ON outbox (kind, id);
CREATE TRIGGER outbox_leaves AFTER DELETE ON outbox WHEN old.seq > (SELECT seq FROM outbox_left) BEGIN
  UPDATE outbox_left SET seq = old.seq;
END;

-- Audiences whose copy is to be compared with the server's.
CREATE TABLE comparing (
  audience TEXT    NOT NULL PRIMARY KEY,
  symbols  INTEGER NOT NULL,                     -- how many coded symbols the next request carries
  tries    INTEGER NOT NULL DEFAULT 0            -- how often that was not enough
) STRICT, WITHOUT ROWID;

-- Incarnations of this device, by the actor that each is: the author of an own change is told by it.
CREATE TABLE own_incarnation (
  actor       BLOB NOT NULL PRIMARY KEY,
  incarnation BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Changes that the server does not know and this device holds by an audience: they are offered.
CREATE TABLE offer (
  row        INTEGER PRIMARY KEY,
  audience   TEXT    NOT NULL,
  kind       INTEGER NOT NULL,
  id         BLOB    NOT NULL,
  case_id    BLOB    NOT NULL DEFAULT x'',
  generation INTEGER NOT NULL DEFAULT 0,
  hash       BLOB    NOT NULL,
  UNIQUE (audience, kind, id, hash)
) STRICT;

-- Signatures of the last pages of each log, and their entries' leaves: what proves to the server what it lost.
CREATE TABLE signed_page (
  audience  TEXT    NOT NULL,
  epoch     INTEGER NOT NULL,
  position  INTEGER NOT NULL,                    -- before its first entry
  leaves    BLOB    NOT NULL,                    -- 32 bytes each
  wholes    BLOB    NOT NULL,                    -- CBOR: of records that were told whole, the leaves of their changes
  signature BLOB    NOT NULL,
  PRIMARY KEY (audience, epoch, position)
) STRICT, WITHOUT ROWID;

-- Lists by title read one index from end to end, not the rows; a list asks by the condition that the index is made with. It
-- is not `kind = 1`: SQLite would then prepare each statement that asks for `kind = ?` anew whenever it is bound. The kind of
-- people is 1; theirs holds what is searched, too.
DROP INDEX record_title;
DROP INDEX record_point_title;
DROP INDEX record_sort_at;
CREATE INDEX record_person_words ON record (title_key, row, search, point, kind) WHERE kind < 2;
CREATE INDEX record_title ON record (kind, title_key, row, point) WHERE kind > 1;
-- Notes, sessions and answers come by their moments.
CREATE INDEX record_sort_at ON record (kind, sort_at, row) WHERE kind IN (7, 8, 10);

-- A record's audiences stand together, and records come in their order: no other index is needed.
CREATE TABLE held_by (
  record   INTEGER NOT NULL REFERENCES record (row) ON DELETE CASCADE,
  audience TEXT    NOT NULL,
  position INTEGER NOT NULL DEFAULT 0,           -- last change by the points' side; what the mission must have seen
  seen     INTEGER NOT NULL DEFAULT 0,           -- last position that a mission has
  PRIMARY KEY (record, audience)
) STRICT, WITHOUT ROWID;
INSERT INTO held_by (record, audience, position, seen) SELECT record, audience, position, seen FROM holding;
DROP TABLE holding;
ALTER TABLE held_by RENAME TO holding;
