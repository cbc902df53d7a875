-- SPDX-License-Identifier: GPL-3.0-or-later
-- Images by the SHA-256 of their manifest, each as an owner handed it in.
CREATE TABLE image (
  digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
  manifest BLOB NOT NULL,
  bytes BLOB NOT NULL,
  at INTEGER NOT NULL
) STRICT;

CREATE TABLE rollout (
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  firmware TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  size INTEGER NOT NULL,
  target TEXT NOT NULL,
  signer BLOB NOT NULL CHECK (length(signer) = 32),
  at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'done', 'halted', 'stopped'))
) STRICT;

-- `place` orders the devices of a roll-out; `code` is a number of schemas/codes.csv.
CREATE TABLE rollout_device (
  rollout INTEGER NOT NULL REFERENCES rollout,
  place INTEGER NOT NULL,
  device BLOB NOT NULL CHECK (length(device) = 32),
  stage INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'restarting', 'done', 'failed')),
  code INTEGER,
  at INTEGER NOT NULL,
  PRIMARY KEY (rollout, place)
) STRICT, WITHOUT ROWID;
