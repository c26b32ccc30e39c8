/** The hub's configurations, as services make, change and delete them (spec/iothub.md §5.2, §5.6). */
import type { JsonObject } from '../core/json.ts';
import { sameJson } from '../core/twin.ts';
import {
  type ConfigurationDocument,
  type ConfigurationWish,
  configurationEtag,
} from './configuration-document.ts';
import { HubError } from './hub-error.ts';
import type { Surroundings } from './settings.ts';
import type { State } from './state.ts';

export interface Configurations {
  list(limit: number): readonly ConfigurationDocument[];
  /** Throws ConfigurationNotFound. */
  get(id: string): ConfigurationDocument;
  /** Throws ConfigurationAlreadyExists, ArgumentInvalid, TooManyConfigurations. */
  create(id: string, wish: ConfigurationWish): ConfigurationDocument;
  /** `ifMatch` undefined = whatever the etag. Throws PreconditionFailed; ArgumentInvalid for new content. */
  update(id: string, wish: ConfigurationWish, ifMatch: string | undefined): ConfigurationDocument;
  remove(id: string, ifMatch: string | undefined): void;
  /** Calls `run` whenever one has come, changed or gone. */
  watch(run: () => void): void;
}

export function createConfigurations(state: State, surroundings: Surroundings): Configurations {
  const { clock, settings } = surroundings;
  const selectAll = state.prepare('SELECT document FROM configuration ORDER BY id LIMIT ?').pluck();
  const select = state.prepare('SELECT document FROM configuration WHERE id = ?').pluck();
  const count = state.prepare('SELECT count(*) FROM configuration').pluck();
  const upsert = state.prepare('INSERT OR REPLACE INTO configuration VALUES (?, ?)');
  const remove = state.prepare('DELETE FROM configuration WHERE id = ?');
  const watchers: (() => void)[] = [];
  const changed = (): void => watchers.forEach((run) => run());
  const now = (): string => new Date(clock.now()).toISOString();

  function find(id: string): ConfigurationDocument | undefined {
    const text = select.get(id) as string | undefined;
    return text === undefined ? undefined : (JSON.parse(text) as ConfigurationDocument);
  }

  function get(id: string): ConfigurationDocument {
    const found = find(id);
    if (found !== undefined) return found;
    throw new HubError('ConfigurationNotFound', `there is no configuration ${id}`);
  }

  function save(document: ConfigurationDocument): ConfigurationDocument {
    upsert.run(document.id, JSON.stringify(document));
    changed();
    return document;
  }

  return {
    list: (limit) =>
      (selectAll.all(limit) as string[]).map((text) => JSON.parse(text) as ConfigurationDocument),
    get,
    create(id, wish) {
      if (find(id) !== undefined) {
        throw new HubError('ConfigurationAlreadyExists', `the configuration ${id} exists already`);
      }
      if ((count.get() as number) >= settings.configurationsMax) {
        throw new HubError(
          'TooManyConfigurations',
          `the hub has ${settings.configurationsMax} configurations already, and may not have more`,
        );
      }
      if (wish.content === undefined) {
        throw new HubError('ArgumentInvalid', 'content must have something in it');
      }
      const at = now();
      return save({
        ...wish,
        content: wish.content,
        id,
        etag: 1,
        createdTimeUtc: at,
        lastUpdatedTimeUtc: at,
      });
    },
    update(id, wish, ifMatch) {
      const before = get(id);
      requireEtag(before, ifMatch);
      if (
        wish.content !== undefined &&
        !sameJson(wish.content as unknown as JsonObject, before.content as unknown as JsonObject)
      ) {
        throw new HubError(
          'ArgumentInvalid',
          'the content of a configuration cannot be changed: make another one',
        );
      }
      return save({
        ...before,
        ...wish,
        content: before.content,
        etag: before.etag + 1,
        lastUpdatedTimeUtc: now(),
      });
    },
    remove(id, ifMatch) {
      requireEtag(get(id), ifMatch);
      remove.run(id);
      changed();
    },
    watch: (run) => void watchers.push(run),
  };
}

function requireEtag(document: ConfigurationDocument, ifMatch: string | undefined): void {
  if (ifMatch === undefined || ifMatch === configurationEtag(document)) return;
  throw new HubError('PreconditionFailed', 'the configuration was changed since you read it');
}
