/** `import { ready } from 'isolet'`: those that start after this module may start now (docs/modules-api.md). */
import { takeSeam } from '../seam.ts';

const seam = takeSeam();

/** Once is enough; saying it again changes nothing. */
export function ready(): void {
  seam.request({ t: 'listen', what: 'ready' });
}
