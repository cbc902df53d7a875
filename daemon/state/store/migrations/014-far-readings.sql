-- SPDX-License-Identifier: GPL-3.0-or-later
-- Readings of devices that other daemons had, as the devices sealed them, at the resolution that was asked for (SPEC 14.8).
CREATE TABLE far_device (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 32)
) STRICT;

CREATE TABLE far_reading (
  number INTEGER PRIMARY KEY,
  device INTEGER NOT NULL REFERENCES far_device,
  epoch BLOB NOT NULL CHECK (length(epoch) = 8),
  sequence INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  frame BLOB NOT NULL,
  UNIQUE (device, epoch, sequence)
) STRICT;

CREATE INDEX far_reading_in_order ON far_reading (device, number);

-- `truth` is 1 where the value is a boolean.
CREATE TABLE far_sample (
  device INTEGER NOT NULL,
  affordance INTEGER NOT NULL,
  at INTEGER NOT NULL,
  reading INTEGER NOT NULL REFERENCES far_reading,
  position INTEGER NOT NULL,
  value INTEGER NOT NULL,
  truth INTEGER NOT NULL,
  PRIMARY KEY (device, affordance, at, reading, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX far_sample_by_reading ON far_sample (reading);

-- How far another daemon's readings of one device are here, by its own count.
CREATE TABLE far_cursor (
  member BLOB NOT NULL CHECK (length(member) = 32),
  device INTEGER NOT NULL REFERENCES far_device,
  kept INTEGER NOT NULL CHECK (kept IN (0, 1)),
  number INTEGER NOT NULL,
  PRIMARY KEY (member, device, kept)
) STRICT, WITHOUT ROWID;
