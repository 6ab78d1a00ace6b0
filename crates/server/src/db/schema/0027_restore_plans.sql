-- Restores that only tell what they would do, and what that is. `overwrite` is a number of a rule from now on: 0 never,
-- 1 if_changed, 2 if_newer, 3 always.
ALTER TABLE restores ADD COLUMN dry_run BIGINT NOT NULL DEFAULT 0;
ALTER TABLE restores ADD COLUMN plan TEXT;
