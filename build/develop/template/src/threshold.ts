/** What the module decides, without anything of the device: easy to test. */

export function isHot(reading: { temperature?: unknown }, threshold: number): boolean {
  return typeof reading.temperature === 'number' && reading.temperature > threshold;
}

/** The threshold of a patch of desired properties; what is no number changes nothing. */
export function thresholdFrom(patch: { threshold?: unknown }, current: number): number {
  return typeof patch.threshold === 'number' ? patch.threshold : current;
}
