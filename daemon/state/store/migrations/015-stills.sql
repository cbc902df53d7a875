-- SPDX-License-Identifier: GPL-3.0-or-later
-- Pictures of devices, in the order they came; `frame` is the device's envelope, `digest` the SHA-256 of `bytes`.
CREATE TABLE still (
  id INTEGER PRIMARY KEY,
  device BLOB NOT NULL CHECK (length(device) = 32),
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  affordance INTEGER NOT NULL,
  command BLOB NOT NULL CHECK (length(command) = 32),
  at INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  size INTEGER NOT NULL,
  frame BLOB NOT NULL,
  bytes BLOB NOT NULL CHECK (length(bytes) = size),
  UNIQUE (device, digest)
) STRICT;

-- Holds all that is asked to see what must go.
CREATE INDEX still_room ON still (device, id, size);
