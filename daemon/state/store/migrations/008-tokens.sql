-- SPDX-License-Identifier: GPL-3.0-or-later
-- `digest` is the SHA-256 of a token, which is nowhere; `grants` are ids of 8 bytes, one after another.
CREATE TABLE token (
  name TEXT PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
  form INTEGER NOT NULL,
  signer BLOB NOT NULL CHECK (length(signer) = 32),
  at INTEGER NOT NULL,
  grants BLOB NOT NULL CHECK (length(grants) % 8 = 0)
) STRICT, WITHOUT ROWID;
