-- Rules of this schema: keys are made by clients or drawn at random, the shard key (audience, record id, device) stands
-- first in every key, nothing is numbered by the database, and a column never changes its meaning. Ids and hashes are
-- bytes; an empty byte string stands for "none". Times are in milliseconds since 1970, server's clock.

CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- Missions to which a case may be handed over, with the transfer authorisation that allows it.
CREATE TABLE destination (
    country TEXT NOT NULL PRIMARY KEY,
    reference TEXT NOT NULL,
    expires_on TEXT NOT NULL
) STRICT;

CREATE TABLE invitation (
    secret_hash BLOB NOT NULL PRIMARY KEY,
    code_lookup TEXT NOT NULL,
    code_hash BLOB NOT NULL,
    code_expires_ms INTEGER NOT NULL,
    code_tries INTEGER NOT NULL DEFAULT 0,
    role TEXT NOT NULL,
    places TEXT NOT NULL,
    case_id BLOB NOT NULL DEFAULT x'',
    name TEXT NOT NULL DEFAULT '',
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    device BLOB NOT NULL DEFAULT x''
) STRICT;
CREATE INDEX invitation_code ON invitation (code_lookup);

CREATE TABLE device (
    device BLOB NOT NULL PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    state TEXT NOT NULL DEFAULT 'active',
    revision INTEGER NOT NULL,
    enrolled_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL
) STRICT;

-- Every grant that was ever signed: pushes name the revision under which they were made.
CREATE TABLE grant_revision (
    device BLOB NOT NULL,
    revision INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    signature BLOB NOT NULL,
    ended_ms INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (device, revision)
) STRICT;

CREATE TABLE case_number_block (
    device BLOB NOT NULL PRIMARY KEY,
    prefix TEXT NOT NULL UNIQUE,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL
) STRICT;

-- Who an actor is. The server's own actors have no device.
CREATE TABLE author (
    actor BLOB NOT NULL PRIMARY KEY,
    device BLOB NOT NULL DEFAULT x'',
    name TEXT NOT NULL DEFAULT '',
    role TEXT NOT NULL,
    frozen_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX author_device ON author (device);

CREATE TABLE token (
    hash BLOB NOT NULL PRIMARY KEY,
    device BLOB NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX token_device ON token (device);

CREATE TABLE used_nonce (
    device BLOB NOT NULL,
    nonce BLOB NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (device, nonce)
) STRICT;

CREATE TABLE record (
    id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    case_id BLOB NOT NULL DEFAULT x'',
    generation INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (id, kind)
) STRICT;
CREATE INDEX record_case ON record (case_id);

-- The truth: every admitted change, in the order of admission. All else about records can be rebuilt from it.
CREATE TABLE change (
    id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    ord INTEGER NOT NULL,
    hash BLOB NOT NULL,
    actor BLOB NOT NULL,
    push_root BLOB NOT NULL DEFAULT x'',
    received_ms INTEGER NOT NULL,
    chunk BLOB NOT NULL,
    PRIMARY KEY (id, kind, ord)
) STRICT;

-- The proof of what a device authored: its signature over the root of these leaves.
CREATE TABLE push (
    root BLOB NOT NULL PRIMARY KEY,
    device BLOB NOT NULL,
    incarnation BLOB NOT NULL,
    grant_revision INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    signature BLOB NOT NULL,
    leaves BLOB NOT NULL,
    received_ms INTEGER NOT NULL
) STRICT;

-- Audiences that hold a record, and those that it left.
CREATE TABLE record_audience (
    id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    audience TEXT NOT NULL,
    left_ms INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (id, kind, audience)
) STRICT;

CREATE TABLE audience_head (
    audience TEXT NOT NULL PRIMARY KEY,
    head INTEGER NOT NULL
) STRICT;

-- Dense positions from 1. `entry` is the code of the wire's entries; a change names its `ord`, a whole record the last
-- `ord` that it holds; `body` is the entry itself where it is not made from a record.
CREATE TABLE audience_log (
    audience TEXT NOT NULL,
    pos INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    id BLOB NOT NULL DEFAULT x'',
    kind INTEGER NOT NULL DEFAULT 0,
    ord INTEGER NOT NULL DEFAULT 0,
    body BLOB NOT NULL DEFAULT x'',
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (audience, pos)
) STRICT, WITHOUT ROWID;
CREATE INDEX audience_log_record ON audience_log (id, kind, audience, pos);

-- Actors that a log has introduced.
CREATE TABLE audience_author (
    audience TEXT NOT NULL,
    actor BLOB NOT NULL,
    PRIMARY KEY (audience, actor)
) STRICT, WITHOUT ROWID;

-- How far a device said that it had applied.
CREATE TABLE device_cursor (
    device BLOB NOT NULL,
    audience TEXT NOT NULL,
    pos INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (device, audience)
) STRICT;

-- Up to which change a mission has a record.
CREATE TABLE seen (
    id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    country TEXT NOT NULL,
    ord INTEGER NOT NULL,
    PRIMARY KEY (id, kind, country)
) STRICT;

-- Missions that held a case until some moment, by a rule other than a withdrawal.
CREATE TABLE past_custody (
    case_id BLOB NOT NULL,
    country TEXT NOT NULL,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (case_id, country)
) STRICT;

-- Received, signed, not in any record: kept for a supervisor.
CREATE TABLE quarantine (
    device BLOB NOT NULL,
    hash BLOB NOT NULL,
    id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    case_id BLOB NOT NULL DEFAULT x'',
    generation INTEGER NOT NULL,
    push_root BLOB NOT NULL,
    code TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    chunk BLOB NOT NULL,
    PRIMARY KEY (device, hash, id)
) STRICT;

-- What somebody who runs the server should look at.
CREATE TABLE alert (
    device BLOB NOT NULL,
    actor BLOB NOT NULL,
    code TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (device, actor, code)
) STRICT;

-- Facts that figures are counted from: a cache over the documents. Days are YYYY-MM-DD; an empty text stands for
-- "not known".
CREATE TABLE case_fact (
    case_id BLOB NOT NULL PRIMARY KEY,
    case_number TEXT NOT NULL,
    programme TEXT NOT NULL,
    point TEXT NOT NULL,
    registered_on TEXT NOT NULL,
    sex TEXT NOT NULL,
    birth_year INTEGER NOT NULL DEFAULT 0,
    nationality TEXT NOT NULL,
    country TEXT NOT NULL,
    departed_on TEXT NOT NULL
) STRICT;
CREATE INDEX case_fact_number ON case_fact (case_number);

CREATE TABLE handover_fact (
    case_id BLOB NOT NULL,
    ord INTEGER NOT NULL,
    proposed_on TEXT NOT NULL,
    accepted_on TEXT NOT NULL,
    revoked INTEGER NOT NULL,
    undone INTEGER NOT NULL,
    PRIMARY KEY (case_id, ord)
) STRICT;

CREATE TABLE joined_fact (
    case_id BLOB NOT NULL,
    other BLOB NOT NULL,
    PRIMARY KEY (case_id, other)
) STRICT;

CREATE TABLE attendance_fact (
    case_id BLOB NOT NULL,
    session BLOB NOT NULL,
    outcome TEXT NOT NULL,
    PRIMARY KEY (case_id, session)
) STRICT;

CREATE TABLE session_fact (
    session BLOB NOT NULL PRIMARY KEY,
    on_day TEXT NOT NULL,
    module TEXT NOT NULL,
    format TEXT NOT NULL,
    is_virtual INTEGER NOT NULL,
    point TEXT NOT NULL,
    country TEXT NOT NULL
) STRICT;

CREATE TABLE feedback_fact (
    feedback BLOB NOT NULL PRIMARY KEY,
    point TEXT NOT NULL,
    programme TEXT NOT NULL,
    module TEXT NOT NULL,
    satisfied TEXT NOT NULL,
    on_day TEXT NOT NULL
) STRICT;

-- At how many sessions somebody must have been present for a module to be complete.
CREATE TABLE completion_fact (
    module TEXT NOT NULL PRIMARY KEY,
    sessions INTEGER NOT NULL
) STRICT;
