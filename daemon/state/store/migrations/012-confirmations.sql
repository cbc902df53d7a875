-- SPDX-License-Identifier: GPL-3.0-or-later
-- How far each device said that it is with the hub's authorities (SPEC 16): generations, the code it said last, and when.
CREATE TABLE confirmation (
  device BLOB PRIMARY KEY CHECK (length(device) = 32),
  in_force INTEGER NOT NULL,
  announced INTEGER NOT NULL,
  code INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
