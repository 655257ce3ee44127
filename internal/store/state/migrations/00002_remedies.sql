-- +goose Up
CREATE TABLE remedies (
    id          TEXT    NOT NULL PRIMARY KEY,
    time        BIGINT  NOT NULL,
    service     TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    is_open     INTEGER NOT NULL,
    remedy      TEXT    NOT NULL
);
CREATE INDEX remedies_by_time ON remedies (time, id);
CREATE INDEX remedies_by_service ON remedies (service, time, id);
-- One open remedy for each service and environment, whatever happens.
CREATE UNIQUE INDEX remedies_open ON remedies (service, environment) WHERE is_open = 1;

-- +goose Down
DROP TABLE remedies;
