-- SPDX-License-Identifier: GPL-3.0-or-later
-- Sealed papers as they came (SPEC 12, 13): owner, person, holder, grant, revocation. They are opened again when loaded.
CREATE TABLE paper (
  number INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  key BLOB NOT NULL,
  frame BLOB NOT NULL,
  at INTEGER NOT NULL,
  gone_at INTEGER,
  UNIQUE (kind, key)
) STRICT;
