/** Bundled into the modules that name one of these (build/guest-globals.ts); the base world has `now` alone. */
import { installGlobals } from './install.ts';
import {
  createPerformance,
  Performance,
  PerformanceEntry,
  PerformanceMark,
  PerformanceMeasure,
} from './performance.ts';

installGlobals({ Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure });
Object.defineProperty(globalThis, 'performance', { value: createPerformance() });
