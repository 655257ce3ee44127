-- Times are Unix nanoseconds, 0 where there is none. Who may log in with a password, where somebody is logged in, API
-- tokens, and what was used that can be used once. Of secrets only hashes are kept.

-- +goose Up
CREATE TABLE users (
    name        TEXT NOT NULL PRIMARY KEY,
    user_record TEXT NOT NULL
);
CREATE TABLE sessions (
    id      TEXT   NOT NULL PRIMARY KEY,
    hash    TEXT   NOT NULL UNIQUE,
    created BIGINT NOT NULL,
    seen    BIGINT NOT NULL,
    remote  TEXT   NOT NULL,
    session TEXT   NOT NULL
);
CREATE TABLE tokens (
    id      TEXT   NOT NULL PRIMARY KEY,
    created BIGINT NOT NULL,
    seen    BIGINT NOT NULL,
    remote  TEXT   NOT NULL,
    token   TEXT   NOT NULL
);
CREATE TABLE spent (
    id       TEXT   NOT NULL PRIMARY KEY,
    until_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE spent;
DROP TABLE tokens;
DROP TABLE sessions;
DROP TABLE users;
