/** The contract on the real module host and on its fake. */
import { moduleHostContract } from '../contracts/module-host.ts';
import { createFakeModuleHost } from '../fakes/module-host.ts';
import { fakePrograms, guestPrograms } from './contract-programs.ts';
import { createTestHost } from './real-host.ts';

moduleHostContract('fake', () => ({
  host: createFakeModuleHost(fakePrograms),
  code: (program) => program,
})).run();

moduleHostContract('isolates', () => ({
  host: createTestHost(),
  code: (program) => guestPrograms[program],
})).run();
