-- The newest change of the past that is in a ledger, 0 where that is not known.

-- +goose Up
ALTER TABLE slo_ledgers ADD COLUMN heard BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE slo_ledgers DROP COLUMN heard;
