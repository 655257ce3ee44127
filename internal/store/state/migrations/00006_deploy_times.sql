-- Times are Unix nanoseconds, 0 where they are not known. When a deployment
-- began and ended.

-- +goose Up
ALTER TABLE deploys ADD COLUMN started BIGINT NOT NULL DEFAULT 0;
ALTER TABLE deploys ADD COLUMN finished BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE deploys DROP COLUMN finished;
ALTER TABLE deploys DROP COLUMN started;
