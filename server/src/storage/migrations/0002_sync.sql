-- The server, version 2: what packed pages, packs, reconciliation and carried pushes keep.

-- Packs: what new phones get instead of a long log. A cache: they can be made again from the records.
CREATE TABLE pack (
    audience TEXT NOT NULL,
    names INTEGER NOT NULL,
    id BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    to_pos INTEGER NOT NULL,
    segments INTEGER NOT NULL,
    PRIMARY KEY (audience, names, id)
) STRICT;

CREATE TABLE pack_segment (
    audience TEXT NOT NULL,
    names INTEGER NOT NULL,
    id BLOB NOT NULL,
    number INTEGER NOT NULL,
    seal BLOB NOT NULL,
    blob BLOB NOT NULL,
    PRIMARY KEY (audience, names, id, number)
) STRICT;

-- A push's signature also covers which changes one action made; 32 bytes.
ALTER TABLE push ADD COLUMN sets BLOB NOT NULL DEFAULT x'';
-- Reconciliation: sums modulo 2^128 of the items of a record's changes, and of all records that an audience holds.
ALTER TABLE record ADD COLUMN digest BLOB NOT NULL DEFAULT x'00000000000000000000000000000000';
ALTER TABLE audience_head ADD COLUMN digest BLOB NOT NULL DEFAULT x'00000000000000000000000000000000';
CREATE INDEX record_audience_audience ON record_audience (audience, left_ms);

-- Devices that have nothing more to bring in the recovery under way.
CREATE TABLE recovered (
    device BLOB NOT NULL PRIMARY KEY,
    at_ms INTEGER NOT NULL
) STRICT;

-- Packed lists. Changes are named by their author's number; a record or actor by the first bytes of its id. 0: not read
-- out of the chunk yet, of a change kept by version 1.
ALTER TABLE change ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE change ADD COLUMN max_op INTEGER NOT NULL DEFAULT 0;
CREATE INDEX record_kind ON record (kind, id);
-- Counts what left the audience: pages that are kept ready are of one count.
ALTER TABLE audience_head ADD COLUMN drops INTEGER NOT NULL DEFAULT 0;
-- What a log tells of one record is found by the record, not by reading the log. The columns that such questions look at
-- stand in the index: without them, and without statistics, SQLite takes the log's own key and reads all of it.
DROP INDEX audience_log_record;
CREATE INDEX audience_log_record ON audience_log (id, kind, audience, pos, entry, ord);
