/** What became of cloud-to-device messages, for services that asked to be told (spec/iothub.md §2.4, §5.8). */
import type { Surroundings } from './settings.ts';
import type { State } from './state.ts';

export type FeedbackStatus =
  | 'Success'
  | 'Expired'
  | 'DeliveryCountExceeded'
  | 'Rejected'
  | 'Purged';

/** One record, as the hub's feedback messages hold it. */
type FeedbackRecord = {
  readonly originalMessageId: string;
  readonly deviceGenerationId: string;
  readonly deviceId: string;
  /** When it became known, ISO 8601. */
  readonly enqueuedTimeUtc: string;
  readonly statusCode: FeedbackStatus;
  readonly description: FeedbackStatus;
};

type StoredFeedback = { readonly seq: number; readonly record: FeedbackRecord };

export interface Feedback {
  add(record: FeedbackRecord): void;
  /** The oldest `limit` records nobody has confirmed. */
  read(limit: number): readonly StoredFeedback[];
  /** Forgets all up to and including `seq`: a service has them. */
  confirm(seq: number): void;
  /** Calls `run` after every new record, until the result is called. */
  watch(run: () => void): () => void;
}

export function createFeedback(state: State, { settings }: Surroundings): Feedback {
  const insert = state.prepare('INSERT INTO feedback (record) VALUES (?)');
  const select = state.prepare('SELECT seq, record FROM feedback ORDER BY seq LIMIT ?');
  const removeUpTo = state.prepare('DELETE FROM feedback WHERE seq <= ?');
  const watchers = new Set<() => void>();
  return {
    add(record) {
      const { lastInsertRowid } = insert.run(JSON.stringify(record));
      // Rows go from the oldest on only, so the distance of two numbers bounds the rows between them.
      removeUpTo.run(Number(lastInsertRowid) - settings.feedbackRowsMax);
      for (const run of watchers) run();
    },
    read: (limit) =>
      (select.all(limit) as { seq: number; record: string }[]).map(({ seq, record }) => ({
        seq,
        record: JSON.parse(record) as FeedbackRecord,
      })),
    confirm(seq) {
      removeUpTo.run(seq);
    },
    watch(run) {
      watchers.add(run);
      return () => void watchers.delete(run);
    },
  };
}
