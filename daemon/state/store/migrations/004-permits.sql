-- SPDX-License-Identifier: GPL-3.0-or-later
-- `proof_key` is NULL once the permit is used or stale.
CREATE TABLE permit (
  id BLOB PRIMARY KEY CHECK (length(id) = 8),
  name TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  proof_key BLOB CHECK (length(proof_key) = 32),
  frame BLOB NOT NULL,
  used_by BLOB CHECK (length(used_by) = 32),
  enrol BLOB,
  enrolled BLOB,
  CHECK (used_by IS NULL OR proof_key IS NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX permit_with_key ON permit (expires_at) WHERE proof_key IS NOT NULL;
