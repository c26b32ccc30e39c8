/** What a module can do instead of using a part of Node that no isolate has. */
import { isBuiltin } from 'node:module';

const instead: Readonly<Record<string, string>> = {
  async_hooks:
    'no JavaScript can follow a call through `await`, so AsyncLocalStorage would lose it: pass what a call needs as an argument',
  child_process:
    'a module starts no programs: make the other program a module, or call a service with fetch',
  cluster: 'a module is one isolate: give its work to another module by a message',
  dgram: 'there are no raw sockets: use fetch, or Node\'s "http" for a server',
  dns: 'the device looks names up: give fetch the name',
  domain: "use process.on('uncaughtException')",
  fs: 'use "fs/promises", which has the directories the deployment binds',
  http2: 'use fetch',
  https: 'use fetch',
  inspector: 'use "isolet dev --inspect"',
  module: 'a bundle is one file: import what is needed by its name, JSON files, too',
  net: 'there are no raw sockets: use fetch, or Node\'s "http" for a server',
  readline: 'a module has no terminal: split the text at its line ends',
  repl: 'a module has no terminal',
  sqlite: 'use the storage of "isolet"',
  test: 'run tests with Node, outside of the module',
  tls: 'there are no raw sockets: use fetch',
  trace_events: 'use console',
  tty: 'a module has no terminal: process.stdout.isTTY is false',
  v8: 'use structuredClone for copies, and process.memoryUsage() for the heap',
  vm: 'a module runs no other code: import it',
  wasi: 'use WebAssembly without system calls',
  worker_threads:
    'a module has one thread: make the work a module of its own, and send it messages',
};

/** A sentence without its point; undefined = it is no part of Node, or nothing in particular helps. */
export function insteadOf(name: string): string | undefined {
  if (!isBuiltin(name)) return undefined;
  const plain = name.replace(/^node:/, '');
  return instead[plain] ?? instead[plain.split('/')[0] as string];
}
