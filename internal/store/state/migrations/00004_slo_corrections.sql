-- Times are Unix nanoseconds.

-- +goose Up
CREATE TABLE slo_corrections (
    id         TEXT   NOT NULL PRIMARY KEY,
    slo        TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    author     TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    start_time BIGINT NOT NULL,
    end_time   BIGINT NOT NULL,
    created    BIGINT NOT NULL
);
CREATE INDEX slo_corrections_by_slo ON slo_corrections (slo, start_time);

-- What a promise's ledger held, so that a restart need not read history again.
CREATE TABLE slo_ledgers (
    name     TEXT   NOT NULL PRIMARY KEY,
    measures TEXT   NOT NULL,
    sealed   BIGINT NOT NULL,
    slots    TEXT   NOT NULL
);

-- +goose Down
DROP TABLE slo_ledgers;
DROP TABLE slo_corrections;
