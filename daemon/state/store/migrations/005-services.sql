-- SPDX-License-Identifier: GPL-3.0-or-later
-- A removed service keeps its row: its epoch, and with it its address, must not be given to anybody again.
CREATE TABLE service (
  service TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL CHECK (epoch >= 0),
  authorised INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  removed INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
