/** The files `isolet init` makes, by path. */

export function initFiles(name: string): Readonly<Record<string, string>> {
  return {
    'package.json': json({
      name,
      version: '0.1.0',
      description: 'Passes on what is hotter than a threshold',
      private: true,
      type: 'module',
      main: 'src/main.ts',
      scripts: { test: 'node --test test/*.test.ts' },
      isolet: { capabilities: {} },
      devDependencies: {
        'azure-iot-device': '^1.18.4',
        'azure-iot-device-mqtt': '^1.16.4',
        typescript: '^5.8.0',
      },
    }),
    'tsconfig.json': json({
      compilerOptions: {
        strict: true,
        noEmit: true,
        target: 'es2024',
        lib: ['es2024', 'dom'],
        module: 'preserve',
        allowImportingTsExtensions: true,
        skipLibCheck: true,
      },
      include: ['src'],
    }),
    'src/main.ts': MAIN,
    'src/threshold.ts': THRESHOLD,
    'test/threshold.test.ts': TEST,
    'samples/alerts.jsonl': SAMPLE,
    'twin.json': json({ desired: { threshold: 30 } }),
    '.gitignore': 'node_modules/\ndist/\n',
    'README.md': readme(name),
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

const MAIN = `/** Passes on what is hotter than a threshold; the threshold is a desired property. */
import { Message, ModuleClient, type Twin } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
import { isHot, thresholdFrom } from './threshold.ts';

let threshold = 25;
let passed = 0;

const client = await ModuleClient.fromEnvironment(Mqtt);
await client.open();

const twin: Twin = await client.getTwin();
// Called once at the start with all desired properties, then with each change.
twin.on('properties.desired', (patch: { threshold?: unknown }) => {
  threshold = thresholdFrom(patch, threshold);
  console.info(\`alerts above \${threshold} °C\`);
  twin.properties.reported.update({ threshold }, (error?: Error) => {
    if (error) console.warn(\`the threshold was not reported: \${error.message}\`);
  });
});

client.on('inputMessage', async (input: string, message: Message) => {
  const reading = JSON.parse(message.getBytes().toString());
  if (input === 'input1' && isHot(reading, threshold)) {
    const alert = new Message(JSON.stringify(reading));
    alert.properties.add('kind', 'alert');
    await client.sendOutputEvent('alerts', alert);
    passed++;
  }
});

client.onMethod('passed', (_request, response) => {
  response.send(200, { passed });
});
`;

const THRESHOLD = `/** What the module decides, without anything of the device: easy to test. */

export function isHot(reading: { temperature?: unknown }, threshold: number): boolean {
  return typeof reading.temperature === 'number' && reading.temperature > threshold;
}

/** The threshold of a patch of desired properties; what is no number changes nothing. */
export function thresholdFrom(patch: { threshold?: unknown }, current: number): number {
  return typeof patch.threshold === 'number' ? patch.threshold : current;
}
`;

const TEST = `/** What the module decides. Run with: npm test */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHot, thresholdFrom } from '../src/threshold.ts';

test('above the threshold is hot, at it is not', () => {
  assert.equal(isHot({ temperature: 30.1 }, 30), true);
  assert.equal(isHot({ temperature: 30 }, 30), false);
  assert.equal(isHot({}, 30), false);
});

test('a patch without a threshold changes nothing', () => {
  assert.equal(thresholdFrom({ threshold: 40 }, 30), 40);
  assert.equal(thresholdFrom({}, 30), 30);
  assert.equal(thresholdFrom({ threshold: 'warm' }, 30), 30);
});
`;

const SAMPLE = `// A sample: what goes into the module and what comes out of it, a line of JSON each. Run with: isolet test
//
//   {"input": "input1", "body": …, "properties": {…}}    in   a message
//   {"desired": {…}}                                     in   a patch of the twin's desired properties
//   {"method": "passed", "payload": …}                   in   a direct method
//   {"output": "alerts", "body": …, "properties": {…}}   out  a message it sends
//   {"reported": {…}}                                    out  a patch of the twin's reported properties
//   {"status": 200, "payload": …}                        out  the method's answer
//
// What comes of a line stands below it. "*" as a value fits anything, and so does a field left out. Write the
// lines that go in, and "isolet test --write" adds what comes out. The twin it starts with is twin.json.

{"reported":{"threshold":30}}

// Not hot: nothing comes of it.
{"input":"input1","body":{"temperature":20}}

{"input":"input1","body":{"temperature":31.5}}
{"output":"alerts","body":{"temperature":31.5},"properties":{"kind":"alert"}}

{"desired":{"threshold":40}}
{"reported":{"threshold":40}}

{"input":"input1","body":{"temperature":31.5}}

{"method":"passed"}
{"status":200,"payload":{"passed":1}}
`;

function readme(name: string): string {
  return `# ${name}

Passes on what is hotter than a threshold.

| setting | where | default |
| --- | --- | --- |
| \`threshold\` | twin, desired | \`25\` |

**Input** \`input1\`: \`{"temperature": 31.5}\` · **Output** \`alerts\`: the same, with the property \`kind\` = \`alert\` ·
**Method** \`passed\`: how many there were.

\`\`\`sh
npm install     # types for your editor; nothing of it gets into the bundle
npm test        # what the module decides, in plain Node
isolet test     # the samples, in an isolate as on a device
isolet dev      # run it while you write it; --inspect opens a debugger
isolet build .  # the bundle, and the reference for settings.image
\`\`\`

What it may touch stands in package.json, \`isolet.capabilities\`; it is nothing so far.
`;
}
