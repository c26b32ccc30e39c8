/** Every limit of the store, with its default. Plain data: it crosses to the worker. */

export type StoreSettings = {
  /** How long a start waits for the process before it to let go of the data folder, ms. */
  readonly lockMs: number;
  /** Closing may take so long, ms; what is not finished then was not acknowledged. */
  readonly closeMs: number;
  /** One read gives at most so many bytes of bodies, but at least one row. */
  readonly readBytesMax: number;
  /** Waiting commits are joined into one transaction up to so many writes. */
  readonly joinedWritesMax: number;
  /**
   * Appends are refused while the disk has less than this free. What is kept free lets removes through:
   * a disk filled by waiting messages can still be drained.
   */
  readonly freeBytesMin: number;
  /** Largest size of the database, in pages of 4 KB; SQLite's own limit is practically none. */
  readonly pagesMax: number;
  /** Pages the write-ahead log may hold before it is worked into the database. */
  readonly checkpointPages: number;
  /** The write-ahead log's file is cut back to this after a large transaction, bytes. */
  readonly logBytesMax: number;
  /** SQLite's page cache, KB. */
  readonly cacheKb: number;
  /** So long without a request, and free pages go back to the file system, ms. */
  readonly idleMs: number;
  /** Copying what can be read out of a damaged database may take so long, ms. */
  readonly salvageMs: number;
  /** Two repairs in one run are at least so far apart, ms: failing hardware must not fill the disk. */
  readonly repairPauseMs: number;
  /** So many damaged files are kept for whoever wants to look; the oldest go. */
  readonly damagedFilesMax: number;
};

export const STORE_SETTINGS: StoreSettings = {
  lockMs: 2_000,
  closeMs: 10_000,
  readBytesMax: 4_194_304,
  joinedWritesMax: 2_000,
  freeBytesMin: 16_777_216,
  pagesMax: 4_294_967_294,
  checkpointPages: 1_000,
  logBytesMax: 8_388_608,
  cacheKb: 2_000,
  idleMs: 1_000,
  salvageMs: 45_000,
  repairPauseMs: 60_000,
  damagedFilesMax: 2,
};
