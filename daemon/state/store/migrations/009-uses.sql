-- SPDX-License-Identifier: GPL-3.0-or-later
-- How often a grant was used. Kept for ever: a clock that is set back must not give a use back.
CREATE TABLE use_count (
  grant_id BLOB PRIMARY KEY CHECK (length(grant_id) = 8),
  count INTEGER NOT NULL CHECK (count >= 0)
) STRICT, WITHOUT ROWID;
