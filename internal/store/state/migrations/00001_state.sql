-- Times are Unix nanoseconds. Plain SQL that SQLite and PostgreSQL both read.

-- +goose Up
CREATE TABLE deploys (
    id          TEXT   NOT NULL PRIMARY KEY,
    time        BIGINT NOT NULL,
    service     TEXT   NOT NULL,
    environment TEXT   NOT NULL,
    region      TEXT   NOT NULL,
    version     TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    status      TEXT   NOT NULL,
    actor       TEXT   NOT NULL,
    link        TEXT   NOT NULL,
    message     TEXT   NOT NULL,
    labels      TEXT   NOT NULL
);
CREATE INDEX deploys_by_time ON deploys (time);
CREATE INDEX deploys_by_service ON deploys (service, time);

CREATE TABLE gate_decisions (
    id          TEXT   NOT NULL PRIMARY KEY,
    time        BIGINT NOT NULL,
    service     TEXT   NOT NULL,
    environment TEXT   NOT NULL,
    version     TEXT   NOT NULL,
    verdict     TEXT   NOT NULL,
    decision    TEXT   NOT NULL
);
CREATE INDEX gate_decisions_by_time ON gate_decisions (time, id);
CREATE INDEX gate_decisions_by_service ON gate_decisions (service, time, id);

CREATE TABLE pages (
    id        TEXT   NOT NULL PRIMARY KEY,
    dedup_key TEXT   NOT NULL,
    time      BIGINT NOT NULL,
    status    TEXT   NOT NULL,
    page      TEXT   NOT NULL,
    acked_by  TEXT   NOT NULL,
    acked_at  BIGINT NOT NULL
);
CREATE INDEX pages_by_time ON pages (time, id);
CREATE INDEX pages_by_status ON pages (status, time, id);
-- One open page for each dedup key, whatever happens.
CREATE UNIQUE INDEX pages_open ON pages (dedup_key) WHERE status = 'firing';

CREATE TABLE slo_states (
    name   TEXT NOT NULL PRIMARY KEY,
    record TEXT NOT NULL
);

CREATE TABLE audit (
    id      BIGINT NOT NULL PRIMARY KEY,
    time    BIGINT NOT NULL,
    actor   TEXT   NOT NULL,
    action  TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    details TEXT   NOT NULL,
    hash    TEXT   NOT NULL
);
CREATE INDEX audit_by_time ON audit (time);
-- The chain's end: its one row is locked by every append, and shows when the
-- newest rows were cut off.
CREATE TABLE audit_head (
    one  INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    id   BIGINT  NOT NULL,
    hash TEXT    NOT NULL
);
INSERT INTO audit_head (one, id, hash) VALUES (1, 0, '');

-- +goose Down
DROP TABLE audit_head;
DROP TABLE audit;
DROP TABLE slo_states;
DROP TABLE pages;
DROP TABLE gate_decisions;
DROP TABLE deploys;
