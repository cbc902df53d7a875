-- SPDX-License-Identifier: GPL-3.0-or-later
-- One row: the latest time, in seconds, at which people are known to have sealed anything. What had ended by then is ended
-- whatever the clock says, so that its paper and its uses (009) can go.
CREATE TABLE past (
  number INTEGER PRIMARY KEY CHECK (number = 1),
  sealed_at INTEGER NOT NULL CHECK (sealed_at >= 0)
) STRICT;
