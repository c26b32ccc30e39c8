/** The enrolments of DPS, kept in the hub's state. */
import type { Json } from '../core/json.ts';
import { type Enrolment, type EnrolmentKind, enrolmentEtag, parseEnrolment } from './enrolment.ts';
import { HubError } from './hub-error.ts';
import type { Surroundings } from './settings.ts';
import type { State } from './state.ts';

export interface Enrolments {
  find(kind: EnrolmentKind, id: string): Enrolment | undefined;
  /** Throws EnrollmentNotFound. */
  get(kind: EnrolmentKind, id: string): Enrolment;
  all(kind: EnrolmentKind): readonly Enrolment[];
  /**
   * Makes it, or changes it when `conditional`. Throws ArgumentInvalid, EnrollmentAlreadyExists,
   * EnrollmentNotFound, PreconditionFailed, TooManyEnrollments.
   */
  put(
    kind: EnrolmentKind,
    id: string,
    body: Json | undefined,
    condition: { readonly conditional: boolean; readonly etag: string | undefined },
  ): Enrolment;
  /** Throws EnrollmentNotFound, PreconditionFailed. */
  remove(kind: EnrolmentKind, id: string, etag: string | undefined): void;
}

export function createEnrolments(state: State, { clock, settings }: Surroundings): Enrolments {
  const select = state.prepare('SELECT document FROM enrolment WHERE kind = ? AND id = ?').pluck();
  const list = state.prepare('SELECT document FROM enrolment WHERE kind = ? ORDER BY id').pluck();
  const upsert = state.prepare('INSERT OR REPLACE INTO enrolment VALUES (?, ?, ?)');
  const drop = state.prepare('DELETE FROM enrolment WHERE kind = ? AND id = ?');
  const count = state.prepare('SELECT count(*) FROM enrolment').pluck();
  // Ids are compared without case.
  const keyOf = (id: string): string => id.toLowerCase();

  function find(kind: EnrolmentKind, id: string): Enrolment | undefined {
    const document = select.get(kind, keyOf(id)) as string | undefined;
    return document === undefined ? undefined : (JSON.parse(document) as Enrolment);
  }

  function get(kind: EnrolmentKind, id: string): Enrolment {
    const found = find(kind, id);
    if (found !== undefined) return found;
    throw new HubError('EnrollmentNotFound', `there is no ${kind} enrollment ${id}`);
  }

  function match(enrolment: Enrolment, etag: string | undefined): Enrolment {
    if (etag === undefined || etag === enrolmentEtag(enrolment)) return enrolment;
    throw new HubError('PreconditionFailed', `the enrollment ${enrolment.id} has another etag`);
  }

  return {
    find,
    get,
    all: (kind) =>
      (list.all(kind) as string[]).map((document) => JSON.parse(document) as Enrolment),
    put(kind, id, body, { conditional, etag }) {
      const there = find(kind, id);
      if (conditional) match(get(kind, id), etag);
      else if (there !== undefined) {
        throw new HubError('EnrollmentAlreadyExists', `the enrollment ${id} is there already`);
      }
      if (there === undefined && (count.get() as number) >= settings.enrolmentsMax) {
        throw new HubError('TooManyEnrollments', `there are ${settings.enrolmentsMax} already`);
      }
      const now = new Date(clock.now()).toISOString();
      const made = parseEnrolment(kind, id, body, there, now);
      upsert.run(kind, keyOf(id), JSON.stringify(made));
      return made;
    },
    remove(kind, id, etag) {
      match(get(kind, id), etag);
      drop.run(kind, keyOf(id));
    },
  };
}
