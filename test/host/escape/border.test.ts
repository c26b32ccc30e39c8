/**
 * Tries to bring something across the border that is not what it seems, and to write requests and host
 * calls no SDK would write. What the host or the supervisor notices ends the module, and it alone.
 */
import * as assert from 'uvu/assert';
import { type Try, tryAll } from './tries.ts';

const broke = (what: RegExp): NonNullable<Try['ends']> => ({
  cause: 'error',
  reason: new RegExp(`^It broke the treaty: .*${what.source}`),
});

/** What crosses, and what the host makes of it. */
const things: readonly Try[] = [
  {
    name: 'text that is an object with toString',
    gains: 'a check that sees one text and a use that sees another',
    code: `let n = 0; isolet.rawOutbox({ toString: undefined, length: 2, [Symbol.toPrimitive]: undefined, n }, undefined, '', -1); await event();`,
    ends: broke(/wrong things/),
  },
  {
    name: 'a String object',
    gains: 'the same, with something that almost is text',
    code: `isolet.rawOutbox(new String('[]'), undefined, '', -1); await event();`,
    ends: broke(/wrong things/),
  },
  {
    name: 'an object with its own __proto__',
    gains: 'another prototype for an object of the host',
    code: `isolet.rawOutbox('', JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'), '', -1); await event();`,
    ends: broke(/wrong things/),
  },
  {
    name: 'an error, a date, a map, a regular expression as bytes',
    gains: 'an object of the host’s realm made from ours, with methods it calls',
    code: `isolet.rawOutbox('', new Map([[new Date(0), /x/]]), '', -1); await event();`,
    ends: broke(/wrong things/),
  },
  {
    name: 'a delay with a valueOf',
    gains: 'code of ours while the host computes with it',
    code: `isolet.rawOutbox('', undefined, '', { valueOf: 5 }); await event();`,
    ends: broke(/wrong things/),
  },
  {
    name: 'bytes of another kind',
    gains: 'lengths counted in elements where the host counts bytes',
    code: `isolet.rawOutbox('[]', new Float64Array(2), '', -1); await event();`,
    ends: broke(/wrong things/),
  },
  {
    name: 'a subclass of Uint8Array that lies about its length',
    gains: 'a read past the end of the buffer in the host',
    code: `class Long extends Uint8Array { get byteLength() { return 1e6; } get length() { return 1e6; } static get [Symbol.species]() { return Array; } }
      const send = { t: 'send', call: 1, output: null, p: {}, s: {}, b: 4 };
      isolet.rawOutbox(JSON.stringify([send]), new Long([1, 2, 3, 4]), '', -1); return 'sent';`,
    gets: 'sent',
    check: ({ bodies }) => assert.equal([...(bodies[0] ?? [])], [1, 2, 3, 4]),
  },
  {
    name: 'a view of a buffer that shrank',
    gains: 'a read past the end of the buffer in the host',
    code: `const buffer = new ArrayBuffer(8, { maxByteLength: 1e6 });
      const tracking = new Uint8Array(buffer), fixed = new Uint8Array(buffer, 4, 4);
      buffer.resize(2);
      const tried = (bytes) => { try { isolet.rawOutbox('', bytes, '', -1); return 'crossed'; } catch (error) { return error.name; } };
      return [tried(tracking), tried(fixed)];`,
    gets: ['crossed', 'TypeError'],
    check: ({ endings }) => assert.equal(endings, []),
  },
  {
    name: 'a view of a buffer that is gone',
    gains: 'a read of memory that is freed',
    code: `const bytes = new Uint8Array(8); bytes.buffer.transfer();
      try { isolet.rawOutbox('', bytes, '', -1); return 'crossed'; } catch (error) { return error.name; }`,
    gets: 'TypeError',
  },
  {
    name: 'a small view of a large buffer',
    gains: 'bytes beside the view told to others as a message body',
    code: `const all = new Uint8Array(64).fill(7); all.set([1, 2], 8);
      const send = { t: 'send', call: 1, output: null, p: {}, s: {}, b: 2 };
      isolet.rawOutbox(JSON.stringify([send]), all.subarray(8, 10), '', -1); return 'sent';`,
    gets: 'sent',
    check: ({ bodies }) => assert.equal([...(bodies[0] ?? [])], [1, 2]),
  },
  {
    name: 'bytes changed after they were sent',
    gains: 'a body that is checked as one thing and used as another',
    code: `const bytes = new Uint8Array([1, 2]);
      const send = { t: 'send', call: 1, output: null, p: {}, s: {}, b: 2 };
      isolet.rawOutbox(JSON.stringify([send]), bytes, '', -1); bytes.fill(9); bytes.buffer.transfer(); return 'sent';`,
    gets: 'sent',
    check: ({ bodies }) => assert.equal([...(bodies[0] ?? [])], [1, 2]),
  },
  {
    name: 'the bytes of an event taken apart while the next ones come',
    gains: 'a hold on memory the host writes into',
    code: `const { bytes } = await event();
      const before = bytes.byteLength; const kept = bytes.buffer.transfer(1024);
      return [before, kept.byteLength, new Uint8Array(kept).every((one) => one === 0)];`,
    gets: [0, 1024, true],
  },
  {
    name: 'a hundred thousand arguments',
    gains: 'a stack overflow in native code',
    code: `try { isolet.rawOutbox('', undefined, '', -1, ...new Array(1e5).fill('x')); return 'taken'; } catch (error) { return error.name; }`,
    gets: 'taken',
  },
  {
    name: 'delays no clock has',
    gains: 'a timer that never rests, or a warning of Node’s with a path',
    code: `for (const delay of [NaN, Infinity, -Infinity, -0, 1e300, 5e-324, 2 ** 31, -1]) isolet.rawOutbox('', undefined, '', delay); return 'calm';`,
    gets: 'calm',
  },
  {
    name: 'requests after the exit',
    gains: 'a module that is over for the supervisor and speaks on',
    code: `isolet.rawOutbox('', undefined, '[{"t":"exit","code":3}]', -1);
      isolet.rawOutbox('[{"t":"log","level":"info","text":"from beyond"}]', undefined, '', -1); await event();`,
    ends: { cause: 'exited', reason: /exit\(3\)/ },
    check: ({ requests }) => assert.equal(requests, []),
  },
];

/** Requests as the guest could write them: each is refused by name. */
const requests: readonly (readonly [name: string, gains: string, json: string, reason: RegExp])[] =
  [
    [
      'a sender of its own choice',
      'messages in the name of another module',
      '{"t":"send","call":1,"output":null,"p":{},"s":{},"b":"","module":"neighbour"}',
      /send has wrong fields/,
    ],
    [
      'a twin of another module',
      'its properties, secrets among them',
      '{"t":"twin","call":1,"module":"neighbour"}',
      /twin has wrong fields/,
    ],
    [
      'a report for another module',
      'lies in its twin',
      '{"t":"report","call":1,"patch":{},"module":"neighbour"}',
      /report has wrong fields/,
    ],
    [
      'the sender as an application property',
      'receivers that ask a message who sent it are told another module',
      '{"t":"send","call":1,"output":null,"p":{"$.cmid":"neighbour"},"s":{},"b":""}',
      /p has the name \$\.cmid/,
    ],
    [
      'the device as an application property',
      'the same for the device',
      '{"t":"send","call":1,"output":null,"p":{"$.cdid":"other"},"s":{},"b":""}',
      /p has the name \$\.cdid/,
    ],
    [
      '__proto__ as a property',
      'a prototype for the supervisor’s bag of properties',
      '{"t":"send","call":1,"output":null,"p":{"__proto__":"x"},"s":{},"b":""}',
      /forbidden name __proto__/,
    ],
    [
      '__proto__ as a system property that is an object',
      'system properties by inheritance, past every check',
      '{"t":"send","call":1,"output":null,"p":{},"s":{"__proto__":{"connectionModuleId":"neighbour"}},"b":""}',
      /forbidden name __proto__/,
    ],
    [
      'fields by inheritance',
      'a request whose checked fields are not its own',
      '{"t":"twin","__proto__":{"call":1}}',
      /call is no count/,
    ],
    [
      '__proto__ deep in a report',
      'Object.prototype of the supervisor when it merges twins',
      '{"t":"report","call":1,"patch":{"a":{"b":{"__proto__":{"polluted":1}}}}}',
      /forbidden name __proto__/,
    ],
    [
      '__proto__ in an array of an invoke',
      'the same by way of another module’s method',
      '{"t":"invoke","call":1,"device":"d","module":"neighbour","name":"m","payload":[[{"__proto__":{"polluted":1}}]],"responseTimeoutS":1,"connectTimeoutS":1}',
      /forbidden name __proto__/,
    ],
    [
      '__proto__ in an answer',
      'the same in whoever called the method',
      '{"t":"answer","id":1,"status":200,"payload":{"__proto__":{"polluted":1}}}',
      /forbidden name __proto__/,
    ],
    [
      'a body larger than what came',
      'memory of the supervisor beside the frame, as a message body',
      '{"t":"send","call":1,"output":null,"p":{},"s":{},"b":4096}',
      /the bodies take 4096 bytes, but 0 came/,
    ],
    [
      'a body of negative size',
      'an offset that goes back into what others sent',
      '{"t":"send","call":1,"output":null,"p":{},"s":{},"b":-5}',
      /b is no count/,
    ],
    [
      'bodies whose sizes add up beyond all numbers',
      'an offset that wraps around',
      '{"t":"send","call":1,"output":null,"p":{},"s":{},"b":9007199254740991},{"t":"send","call":2,"output":null,"p":{},"s":{},"b":9007199254740991}',
      /the bodies take/,
    ],
    [
      'a call number beyond all numbers',
      'an answer that goes to nobody, or to another',
      '{"t":"twin","call":1e999}',
      /call is no count/,
    ],
    [
      'acknowledgements by name',
      'ids of another type that are equal to somebody else’s',
      '{"t":"ack","ids":["1",{"valueOf":1}]}',
      /ids hold something else/,
    ],
    [
      'ids as an object with a length',
      'a loop without end in the supervisor',
      '{"t":"ack","ids":{"length":9007199254740991}}',
      /ids are no list/,
    ],
    [
      'a level that is a method of every object',
      'log.constructor, or log.__proto__, called with text of ours',
      '{"t":"log","level":"constructor","text":"x"}',
      /level is none/,
    ],
    [
      'a topic from the prototype',
      'a key that is there without having been put there',
      '{"t":"listen","what":"__proto__"}',
      /what is no topic/,
    ],
    ['a type from the prototype', 'a branch nobody wrote', '{"t":"constructor"}', /unknown type/],
    [
      'a payload nested without end',
      'the stack of whoever walks it in the supervisor',
      `{"t":"report","call":1,"patch":{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}}`,
      /nested too deeply/,
    ],
    [
      'time without end',
      'a wait in the supervisor that never ends',
      '{"t":"invoke","call":1,"device":"d","module":"m","name":"n","payload":null,"responseTimeoutS":1e999,"connectTimeoutS":0}',
      /responseTimeoutS is no time/,
    ],
    [
      'the same key twice',
      'a check of the first and a use of the second',
      '{"t":"log","level":"info","text":"x","t":"twin"}',
      /twin has wrong fields/,
    ],
    [
      'a frame inside the frame',
      'the kind and the handle of another frame',
      '"\\u0000\\u0003\\u0001"',
      /./,
    ],
  ];

const asks: Try = {
  name: 'services by names every object has',
  gains: 'a function of the host’s prototype, loaded and called as a service',
  code: `const names = ['__proto__', 'constructor', 'toString', 'node:fs', '../main.ts', 'x'.repeat(5000)];
    const codes = new Map();
    isolet.onHost(({ call, error }) => codes.set(call, error.message.slice(0, 99)));
    isolet.host(names.map((service, call) => ({ t: 'ask', call, service, what: 'constructor', args: { __proto__: null } })));
    await new Promise((resolve) => isolet.after(100, resolve));
    return [...codes.values()].map((one) => one.slice(0, 36));`,
  gets: Array.from({ length: 6 }, () => 'ENOSYS: this runtime has no service '),
};

const callFlood: Try = {
  name: 'more host calls than anybody needs',
  gains: 'the thread of the host, busy with refusing them, while the neighbours wait',
  code: `const one = '{"t":"readDir","call":1,"path":""}';
    const text = '[' + Array(20_000).fill(one).join() + ']';
    for (let i = 0; i < 4; i++) isolet.rawOutbox('', undefined, text, -1);
    await event();`,
  ends: broke(/80000 host calls in one turn/),
};

const hostCalls: readonly (readonly [name: string, gains: string, json: string])[] = [
  [
    'a call of another kind',
    'something the host can do and does not offer',
    '{"t":"spawn","call":1,"path":"/bin/sh"}',
  ],
  [
    'a call named like a method of objects',
    'a function of the host’s prototype',
    '{"t":"constructor","call":1,"path":"x"}',
  ],
  [
    'a path that is a number',
    'an open file of the host: its pipe to the supervisor is 3',
    '{"t":"readFile","call":1,"path":3}',
  ],
  [
    'a path that is a Buffer in JSON',
    'a path that was not looked at',
    '{"t":"readFile","call":1,"path":{"type":"Buffer","data":[47]}}',
  ],
  [
    'a text that is none',
    'a write of something the host makes of it',
    '{"t":"writeFile","call":1,"path":"/out/x","text":{"length":1e9}}',
  ],
  [
    'an exit that is no code',
    'a status no restart policy knows',
    '{"t":"exit","code":"0; reboot"}',
  ],
  [
    'an answer as a call',
    'the host’s own event, sent back to it',
    '{"t":"done","call":1,"value":null}',
  ],
  [
    'an exit by inheritance',
    'an end that looks like another',
    '{"__proto__":{"t":"exit","code":0}}',
  ],
];

const tries: readonly Try[] = [
  ...things,
  asks,
  callFlood,
  ...requests.map(
    ([name, gains, json, reason]): Try => ({
      name,
      gains,
      code: `isolet.rawOutbox(${JSON.stringify(`[${json}]`)}, undefined, '', -1); await event();`,
      ends: broke(reason),
    }),
  ),
  ...hostCalls.map(
    ([name, gains, json]): Try => ({
      name,
      gains,
      code: `isolet.rawOutbox('', undefined, ${JSON.stringify(`[${json}]`)}, -1); await event();`,
      ends: broke(/wrong shape/),
    }),
  ),
];

/** The SDK’s seam writes what it is given without looking: so a module can forge any request. */
const seamTries: readonly Try[] = [
  {
    name: 'an id that is JSON',
    gains: 'a request of another kind, past the SDK',
    code: `seam.ack('1]},{"t":"twin","call":1,"module":"neighbour","x":[1'); await new Promise(() => {});`,
    ends: broke(/twin has wrong fields/),
  },
  {
    name: 'a name that is JSON',
    gains: 'fields of another request, behind a name with a quote in it',
    code: `seam.request({ t: 'listen', 'what":"inputs","module': 'neighbour' }); await new Promise(() => {});`,
    ends: broke(/listen has wrong fields/),
  },
];

tryAll('the outbox', 'raw', tries).run();
tryAll('the seam', 'sdk', seamTries).run();
