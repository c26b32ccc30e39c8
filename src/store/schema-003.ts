/** What the third version adds. Once released this file is never edited: a new version is a new file. */
export const schema003 = `
  -- What modules keep by key. The sums are kept beside it: to add up a module's rows at each write would read them all.
  CREATE TABLE kept (
    module TEXT NOT NULL,
    key    TEXT NOT NULL,
    value  TEXT NOT NULL,
    PRIMARY KEY (module, key)
  ) STRICT;

  CREATE TABLE kept_sum (
    module TEXT PRIMARY KEY,
    count  INTEGER NOT NULL,
    bytes  INTEGER NOT NULL
  ) STRICT;

  CREATE TRIGGER kept_added AFTER INSERT ON kept BEGIN
    INSERT INTO kept_sum (module, count, bytes)
      VALUES (NEW.module, 1, OCTET_LENGTH(NEW.key) + OCTET_LENGTH(NEW.value))
      ON CONFLICT (module) DO UPDATE SET count = count + 1, bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER kept_changed AFTER UPDATE ON kept BEGIN
    UPDATE kept_sum SET bytes = bytes + OCTET_LENGTH(NEW.value) - OCTET_LENGTH(OLD.value) WHERE module = NEW.module;
  END;
  CREATE TRIGGER kept_removed AFTER DELETE ON kept BEGIN
    UPDATE kept_sum SET count = count - 1, bytes = bytes - OCTET_LENGTH(OLD.key) - OCTET_LENGTH(OLD.value)
      WHERE module = OLD.module;
    DELETE FROM kept_sum WHERE module = OLD.module AND count = 0;
  END;
`;
