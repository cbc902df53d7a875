-- SPDX-License-Identifier: GPL-3.0-or-later
-- `proof_key` is NULL once a phone has asked or nobody can ask any more.
CREATE TABLE pairing (
  id BLOB PRIMARY KEY CHECK (length(id) = 8),
  name TEXT NOT NULL,
  person BLOB NOT NULL CHECK (length(person) = 8),
  kind TEXT NOT NULL,
  signer BLOB NOT NULL CHECK (length(signer) = 32),
  expires_at INTEGER NOT NULL,
  proof_key BLOB CHECK (length(proof_key) = 32),
  invitation TEXT,
  frame BLOB NOT NULL,
  asker BLOB CHECK (length(asker) = 32),
  pair BLOB,
  ended TEXT,
  CHECK (asker IS NULL OR proof_key IS NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX pairing_by_asker ON pairing (asker, expires_at) WHERE asker IS NOT NULL;
CREATE INDEX pairing_with_key ON pairing (expires_at) WHERE proof_key IS NOT NULL;
