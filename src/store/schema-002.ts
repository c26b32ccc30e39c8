/** What the second version adds. Once released this file is never edited: a new version is a new file. */
export const schema002 = `
  -- What the message takes by IoT Edge's rule: how much waits for an endpoint is a sum over the small rows.
  ALTER TABLE delivery ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
  UPDATE delivery SET size = COALESCE((
    SELECT LENGTH(body) + LENGTH(properties) + LENGTH(system) FROM message WHERE message.seq = delivery.seq
  ), 0);

  -- A message its endpoint failed on too often. It has a copy of its own: the message itself may still
  -- wait for other endpoints. AUTOINCREMENT: a number once shown to a person never means another letter.
  CREATE TABLE dead_letter (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    endpoint    TEXT NOT NULL,
    priority    INTEGER NOT NULL,
    enqueued_ms INTEGER NOT NULL,
    dead_ms     INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    source      TEXT NOT NULL,
    sender      TEXT NOT NULL,
    properties  TEXT NOT NULL, -- JSON object, application properties
    system      TEXT NOT NULL, -- JSON object, system properties
    body        BLOB NOT NULL
  ) STRICT;
`;
