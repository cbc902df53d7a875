-- SPDX-License-Identifier: GPL-3.0-or-later
-- A row stays for ever: one without a name was forgotten, and its id never comes back.
CREATE TABLE device (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 32),
  name TEXT UNIQUE,
  board TEXT NOT NULL,
  firmware TEXT NOT NULL,
  affordances TEXT NOT NULL,
  enrolled_at INTEGER NOT NULL,
  permit BLOB,
  record BLOB,
  hello BLOB,
  nonce BLOB CHECK (length(nonce) = 8),
  since INTEGER NOT NULL,
  lost INTEGER NOT NULL DEFAULT 0,
  forgotten_at INTEGER,
  CHECK ((name IS NULL) = (forgotten_at IS NOT NULL))
) STRICT;

-- `truth` is 1 where the value is a boolean.
CREATE TABLE desired (
  device INTEGER NOT NULL REFERENCES device,
  affordance INTEGER NOT NULL,
  value INTEGER NOT NULL,
  truth INTEGER NOT NULL,
  command BLOB NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (device, affordance)
) STRICT, WITHOUT ROWID;

-- `epoch` and `sequence` name the message that said so.
CREATE TABLE reported (
  device INTEGER NOT NULL REFERENCES device,
  affordance INTEGER NOT NULL,
  at INTEGER NOT NULL,
  value INTEGER NOT NULL,
  truth INTEGER NOT NULL,
  epoch BLOB NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (device, affordance)
) STRICT, WITHOUT ROWID;
