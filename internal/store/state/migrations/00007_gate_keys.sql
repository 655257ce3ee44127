-- Times are Unix nanoseconds. Every public key that ever signed gate decisions, so that
-- a private key that is lost makes none of them unverifiable.

-- +goose Up
CREATE TABLE gate_keys (
    id    TEXT   NOT NULL PRIMARY KEY,
    pem   TEXT   NOT NULL,
    since BIGINT NOT NULL
);

-- +goose Down
DROP TABLE gate_keys;
