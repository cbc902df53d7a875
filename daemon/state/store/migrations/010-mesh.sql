-- SPDX-License-Identifier: GPL-3.0-or-later
-- What daemons of the home show each other about who they are: of each kind, subject and sealer the newest.
CREATE TABLE mesh_paper (
  kind TEXT NOT NULL CHECK (kind IN ('member', 'beacon')),
  subject BLOB NOT NULL CHECK (length(subject) = 32),
  sealer BLOB NOT NULL CHECK (length(sealer) = 32),
  frame BLOB NOT NULL,
  PRIMARY KEY (kind, subject, sealer)
) STRICT, WITHOUT ROWID;

-- Places in another daemon's log that it signed for: up to there its entries can be proved to a third. `bytes` and `entries` are
-- those since the place before.
CREATE TABLE mesh_signed (
  chain INTEGER NOT NULL REFERENCES chain,
  position INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  beacon BLOB NOT NULL,
  PRIMARY KEY (chain, position)
) STRICT, WITHOUT ROWID;

-- Devices of other homes as their daemon last told them.
CREATE TABLE mesh_thing (
  member BLOB NOT NULL CHECK (length(member) = 32),
  device BLOB NOT NULL CHECK (length(device) = 32),
  word BLOB NOT NULL,
  PRIMARY KEY (member, device)
) STRICT, WITHOUT ROWID;

CREATE TABLE mesh_heard (
  member BLOB PRIMARY KEY CHECK (length(member) = 32),
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
