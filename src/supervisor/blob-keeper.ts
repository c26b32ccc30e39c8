/** Modules' blobs: what is asked, checked against their limits, one thing after the other for each module. */
import { BLOB_LIMITS, type BlobAsk, type BlobShelf, type BlobUpload } from '../core/blobs.ts';
import { Fault } from '../core/fault.ts';
import type { Json } from '../core/json.ts';
import { defaultKeepLimits, type KeepLimits } from '../core/kept.ts';
import type { ModuleName } from '../core/message.ts';
import { utf8Length } from '../core/twin-limits.ts';
import { fromBase64, toBase64 } from '../lib/base64.ts';

export interface BlobKeeper {
  /** Rejects with REQUEST_INVALID, KEPT_FULL, or what the shelf has to say. */
  carryOut(module: ModuleName, ask: BlobAsk, limits: KeepLimits): Promise<Json>;
  /** It has ended: what it was writing is let go. */
  release(module: ModuleName): void;
  /** Looks what there is, so that `bytes` knows. */
  open(): Promise<void>;
  /** What its blobs take, as far as it is known: 0 before it is looked at. */
  bytes(module: ModuleName): number;
  /** All of it is removed. */
  forget(module: ModuleName): Promise<void>;
}

type Upload = { readonly writing: BlobUpload; bytes: number };

type Account = {
  line: Promise<unknown>;
  readonly uploads: Map<number, Upload>;
  /** Undefined before the first look. Those being written are in `bytes`. */
  used: { bytes: number; count: number } | undefined;
};

export function createBlobKeeper(shelf: BlobShelf): BlobKeeper {
  const accounts = new Map<ModuleName, Account>();
  let lastUpload = 0;

  function accountOf(module: ModuleName): Account {
    const known = accounts.get(module);
    if (known !== undefined) return known;
    const made: Account = { line: Promise.resolve(), uploads: new Map(), used: undefined };
    accounts.set(module, made);
    return made;
  }

  function inLine<T>(account: Account, run: () => Promise<T>): Promise<T> {
    const asked = account.line.then(run);
    account.line = asked.catch(() => {});
    return asked;
  }

  async function usedBy(
    module: ModuleName,
    account: Account,
  ): Promise<NonNullable<Account['used']>> {
    if (account.used === undefined) {
      const entries = await shelf.list(module);
      const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
      account.used = { bytes, count: entries.length };
    }
    return account.used;
  }

  async function drop(account: Account, number: number): Promise<void> {
    const upload = account.uploads.get(number);
    if (upload === undefined) return;
    account.uploads.delete(number);
    if (account.used !== undefined) account.used.bytes -= upload.bytes;
    await upload.writing.abort();
  }

  function uploadOf(account: Account, number: number): Upload {
    const upload = account.uploads.get(number);
    if (upload === undefined) throw new Fault('REQUEST_INVALID', 'this blob is not being written');
    return upload;
  }

  async function append(
    module: ModuleName,
    account: Account,
    ask: BlobAsk & { what: 'append' },
    limits: KeepLimits,
  ): Promise<null> {
    const upload = uploadOf(account, ask.upload);
    const bytes = fromBase64(ask.base64);
    if (bytes === undefined || bytes.length > BLOB_LIMITS.chunkBytesMax) {
      throw new Fault(
        'REQUEST_INVALID',
        `a part of a blob is at most ${BLOB_LIMITS.chunkBytesMax} bytes`,
      );
    }
    const used = await usedBy(module, account);
    const most = limits.blobBytesMax ?? defaultKeepLimits.blobBytesMax;
    if (used.bytes + bytes.length > most) {
      throw new Fault(
        'KEPT_FULL',
        `the blobs of module ${module} take ${used.bytes} of ${most} bytes, and this one does not fit: delete some, or raise its limit (docs/limits.md)`,
      );
    }
    used.bytes += bytes.length;
    upload.bytes += bytes.length;
    await upload.writing.append(bytes);
    return null;
  }

  async function commit(
    module: ModuleName,
    account: Account,
    ask: BlobAsk & { what: 'commit' },
    limits: KeepLimits,
  ): Promise<null> {
    const upload = uploadOf(account, ask.upload);
    const used = await usedBy(module, account);
    const replaced = await shelf.look(module, ask.name);
    const most = limits.blobCountMax ?? defaultKeepLimits.blobCountMax;
    if (replaced === undefined && used.count >= most) {
      throw new Fault(
        'KEPT_FULL',
        `module ${module} has ${most} blobs, which is its limit: delete some, or raise it (docs/limits.md)`,
      );
    }
    await upload.writing.commit(ask.name);
    account.uploads.delete(ask.upload);
    if (replaced === undefined) used.count++;
    else used.bytes -= replaced.bytes;
    return null;
  }

  async function carryOut(
    module: ModuleName,
    account: Account,
    ask: BlobAsk,
    limits: KeepLimits,
  ): Promise<Json> {
    switch (ask.what) {
      case 'list': {
        const names = (await shelf.list(module))
          .filter(({ name }) => name > ask.after)
          .sort((one, other) => (one.name < other.name ? -1 : 1));
        return names
          .slice(0, BLOB_LIMITS.pageMax)
          .map(({ name, bytes, atMs }) => ({ name, bytes, atMs }));
      }
      case 'look':
        return (await shelf.look(module, ask.name)) ?? null;
      case 'read': {
        const { name, version, offset } = ask;
        const bytes = await shelf.read(module, name, version, offset, BLOB_LIMITS.chunkBytesMax);
        if (bytes !== undefined) return toBase64(bytes);
        throw new Fault(
          'REQUEST_INVALID',
          `the blob ${JSON.stringify(name)} was replaced or deleted while it was read`,
        );
      }
      case 'begin': {
        if (account.uploads.size >= BLOB_LIMITS.uploadsMax) {
          throw new Fault(
            'TOO_MANY_REQUESTS',
            `module ${module} writes ${BLOB_LIMITS.uploadsMax} blobs at once, which is the most`,
          );
        }
        const number = ++lastUpload;
        account.uploads.set(number, { writing: await shelf.begin(module), bytes: 0 });
        return number;
      }
      case 'append':
        return await append(module, account, ask, limits);
      case 'commit':
        return await commit(module, account, ask, limits);
      case 'abort':
        await drop(account, ask.upload);
        return null;
      case 'delete': {
        const found = await shelf.look(module, ask.name);
        if (found === undefined) return false;
        await shelf.remove(module, ask.name);
        if (account.used !== undefined) {
          account.used.bytes -= found.bytes;
          account.used.count--;
        }
        return true;
      }
    }
  }

  return {
    async carryOut(module, ask, limits) {
      const bytes = 'name' in ask ? utf8Length(ask.name) : 1;
      if (bytes === 0 || bytes > BLOB_LIMITS.nameBytesMax) {
        throw new Fault(
          'REQUEST_INVALID',
          `a blob's name must have 1 to ${BLOB_LIMITS.nameBytesMax} bytes`,
        );
      }
      const account = accountOf(module);
      return await inLine(account, () => carryOut(module, account, ask, limits));
    },
    release(module) {
      const account = accounts.get(module);
      if (account === undefined) return;
      // What cannot be removed now is removed with the first blob after the next start.
      const dropAll = async (): Promise<void> => {
        for (const number of account.uploads.keys()) await drop(account, number).catch(() => {});
      };
      void inLine(account, dropAll);
    },
    async open() {
      for (const module of await shelf.modules()) {
        const account = accountOf(module);
        await inLine(account, () => usedBy(module, account));
      }
    },
    bytes: (module) => accounts.get(module)?.used?.bytes ?? 0,
    async forget(module) {
      const account = accountOf(module);
      await inLine(account, async () => {
        for (const number of account.uploads.keys()) await drop(account, number);
        await shelf.forget(module);
        account.used = undefined;
      });
    },
  };
}
