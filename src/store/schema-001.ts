/** The tables of the first version. Once released this file is never edited: a new version is a new file. */
export const schema001 = `
  -- One accepted message. seq is the order of acceptance; AUTOINCREMENT keeps the highest one ever
  -- used in sqlite_sequence, so that it never goes back, not even when all messages are gone.
  CREATE TABLE message (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    enqueued_ms INTEGER NOT NULL,
    source      TEXT NOT NULL,
    sender      TEXT NOT NULL,
    properties  TEXT NOT NULL, -- JSON object, application properties
    system      TEXT NOT NULL, -- JSON object, system properties
    body        BLOB NOT NULL
  ) STRICT;

  -- One message for one endpoint. The message goes with its last delivery.
  CREATE TABLE delivery (
    endpoint   TEXT NOT NULL,
    priority   INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (endpoint, priority, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX delivery_by_seq ON delivery (seq);

  -- A twin as this device last knew it; pending is what the hub has not confirmed (NULL = nothing).
  CREATE TABLE twin (
    module    TEXT PRIMARY KEY,
    desired   TEXT NOT NULL,
    reported  TEXT NOT NULL,
    pending   TEXT,
    synced_ms INTEGER
  ) STRICT;

  -- Restart statistics, one JSON object per module.
  CREATE TABLE statistics (module TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

  -- Named JSON documents: the deployment and the routes in force.
  CREATE TABLE document (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
`;
