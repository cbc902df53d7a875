-- SPDX-License-Identifier: GPL-3.0-or-later
-- Of each daemon the last word of each kind about guests: invitations that others answer too (SPEC 14.9).
CREATE TABLE mesh_guests (
  member BLOB NOT NULL CHECK (length(member) = 32),
  kind TEXT NOT NULL CHECK (kind IN ('guests', 'offers')),
  word BLOB NOT NULL,
  PRIMARY KEY (member, kind)
) STRICT, WITHOUT ROWID;

-- Invitations of ours by which somebody came; `key` if it was one alone.
CREATE TABLE mesh_arrival (
  guest BLOB PRIMARY KEY CHECK (length(guest) = 16),
  key BLOB CHECK (length(key) = 32)
) STRICT, WITHOUT ROWID;
