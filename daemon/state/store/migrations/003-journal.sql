-- SPDX-License-Identifier: GPL-3.0-or-later
-- One chain per author (a hub). Entries up to `pruned_to` are gone; `pruned_hash` is the hash of the last of them, from which
-- the first kept entry must follow. A chain of which nothing was pruned follows from its author.
CREATE TABLE chain (
  number INTEGER PRIMARY KEY,
  author BLOB NOT NULL UNIQUE CHECK (length(author) = 32),
  pruned_to INTEGER NOT NULL DEFAULT 0 CHECK (pruned_to >= 0),
  pruned_hash BLOB CHECK (length(pruned_hash) = 32),
  CHECK ((pruned_to = 0) = (pruned_hash IS NULL))
) STRICT;

-- `body` is what is hashed, as it will travel to other homes; `device` repeats a part of it, to be found by.
CREATE TABLE entry (
  chain INTEGER NOT NULL REFERENCES chain,
  position INTEGER NOT NULL CHECK (position >= 1),
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  body BLOB NOT NULL,
  device BLOB,
  UNIQUE (chain, position)
) STRICT;

CREATE INDEX entry_by_device ON entry (chain, device, position) WHERE device IS NOT NULL;
