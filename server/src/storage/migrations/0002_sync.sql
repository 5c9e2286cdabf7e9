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
