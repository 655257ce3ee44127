-- Times are Unix nanoseconds. What each promise counted on each UTC day, for
-- reports on times whose samples are gone.

-- +goose Up
CREATE TABLE slo_days (
    slo     TEXT    NOT NULL,
    counts  TEXT    NOT NULL,
    day     BIGINT  NOT NULL,
    read_at BIGINT  NOT NULL,
    settled INTEGER NOT NULL,
    cells   TEXT    NOT NULL,
    PRIMARY KEY (slo, counts, day)
);
CREATE INDEX slo_days_by_day ON slo_days (day);

-- +goose Down
DROP TABLE slo_days;
