-- Times are Unix nanoseconds, 0 where there is none. What people and Signalbox keep and change, by kind: incidents,
-- contacts, overrides of schedules. A version counts the changes.

-- +goose Up
CREATE TABLE documents (
    kind    TEXT   NOT NULL,
    id      TEXT   NOT NULL,
    version BIGINT NOT NULL,
    status  TEXT   NOT NULL,
    time    BIGINT NOT NULL,
    body    TEXT   NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX documents_time ON documents (kind, time, id);
CREATE INDEX documents_status ON documents (kind, status, time, id);

-- +goose Down
DROP TABLE documents;
