-- +goose Up
CREATE TABLE gate_overrides (
    id          TEXT   NOT NULL PRIMARY KEY,
    decision_id TEXT   NOT NULL,
    time        BIGINT NOT NULL,
    expires     BIGINT NOT NULL,
    service     TEXT   NOT NULL,
    environment TEXT   NOT NULL,
    version     TEXT   NOT NULL,
    override    TEXT   NOT NULL
);
CREATE INDEX gate_overrides_by_decision ON gate_overrides (decision_id, time);
CREATE INDEX gate_overrides_by_version ON gate_overrides (service, environment, version, expires);

-- +goose Down
DROP TABLE gate_overrides;
