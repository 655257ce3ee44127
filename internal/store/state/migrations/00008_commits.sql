-- How many transactions were written, so that the redo log beside the database can tell which
-- of them a damaged database lost.

-- +goose Up
CREATE TABLE commits (
    one    INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    number BIGINT  NOT NULL
);
INSERT INTO commits (one, number) VALUES (1, 0);

-- +goose Down
DROP TABLE commits;
