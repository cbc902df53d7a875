-- SPDX-License-Identifier: GPL-3.0-or-later
-- How often a grant was used, kept until it ends.
CREATE TABLE use_count (
  grant_id BLOB PRIMARY KEY CHECK (length(grant_id) = 8),
  count INTEGER NOT NULL CHECK (count >= 0),
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
