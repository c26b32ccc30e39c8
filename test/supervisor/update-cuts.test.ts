/** An update, with the power cut at every step of it (update-cuts-kit.ts). */
import { suite } from 'uvu';
import { bundleAll, cutEverywhere, removeAll } from './update-cuts-kit.ts';

const test = suite('an update, cut everywhere');
test.before(bundleAll);
test.after(removeAll);

test('the new version beside the old one', () =>
  cutEverywhere({ to: 'two', order: 'start-first' }, 'all'));

test('the old version first', () => cutEverywhere({ to: 'two', order: 'stop-first' }, 'steps'));

test.run();
