-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a device sealed (readings and receipts), each once.
CREATE TABLE reading (
  number INTEGER PRIMARY KEY,
  device INTEGER NOT NULL REFERENCES device,
  epoch BLOB NOT NULL CHECK (length(epoch) = 8),
  sequence INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  frame BLOB NOT NULL,
  UNIQUE (device, epoch, sequence)
) STRICT;

-- The samples in them, in the order in which history is asked for. `truth` is 1 where the value is a boolean.
CREATE TABLE sample (
  device INTEGER NOT NULL,
  affordance INTEGER NOT NULL,
  at INTEGER NOT NULL,
  reading INTEGER NOT NULL REFERENCES reading,
  position INTEGER NOT NULL,
  value INTEGER NOT NULL,
  truth INTEGER NOT NULL,
  PRIMARY KEY (device, affordance, at, reading, position)
) STRICT, WITHOUT ROWID;

-- Where samples wait, in the order of arrival, to be moved many at a time: hundreds of devices that each report a little would
-- otherwise rewrite a page of `sample` for every value. A sample is in one of the two tables.
CREATE TABLE fresh_sample (
  number INTEGER PRIMARY KEY,
  device INTEGER NOT NULL,
  affordance INTEGER NOT NULL,
  at INTEGER NOT NULL,
  reading INTEGER NOT NULL REFERENCES reading,
  position INTEGER NOT NULL,
  value INTEGER NOT NULL,
  truth INTEGER NOT NULL
) STRICT;
