-- The store of one device, version 2: what packed pages, packs, reconciliation and exchange between phones keep.

-- Packs: what a new phone gets instead of a long log.

-- The segment that the record came in; 0: none. The segment may be gone since.
ALTER TABLE record ADD COLUMN segment INTEGER NOT NULL DEFAULT 0;
-- Changes that lie in that segment alone: the record is received, and not tried yet. 0: verified.
ALTER TABLE record ADD COLUMN received INTEGER NOT NULL DEFAULT 0;

-- Segments as they came, while something lies in them alone. Row numbers are never used again.
CREATE TABLE segment (
  row     INTEGER PRIMARY KEY AUTOINCREMENT,
  server  BLOB    NOT NULL,                      -- the key of the server that made it
  epoch   INTEGER NOT NULL,                      -- its epoch then
  records INTEGER NOT NULL,                      -- records that lie in it alone
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
  bytes_per_s   INTEGER NOT NULL DEFAULT 0,      -- as of late
  piece_ms      INTEGER NOT NULL DEFAULT 0       -- device clock, when the last piece came
) STRICT, WITHOUT ROWID;

-- What is here of the blob of the segment under way.
CREATE TABLE piece (
  audience TEXT    NOT NULL,
  at       INTEGER NOT NULL,
  bytes    BLOB    NOT NULL,
  PRIMARY KEY (audience, at)
) STRICT;
