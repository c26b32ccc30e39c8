/** Popular packages of npm, each doing its work inside an isolate. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { installersFor } from '../../build/guest-globals.ts';
import { withBuilt } from './built-box.ts';

const test = suite('npm packages');

/** What the module logs is what is expected, line by line. */
const logs = (source: string, expected: readonly string[], file = 'main.mjs') =>
  withBuilt({ [file]: source }, async (box) => {
    // One of them has a timer.
    while (box.batches.at(-1)?.timerMs !== -1 && box.logs().length < expected.length)
      await box.tick();
    assert.equal(box.logs(), expected);
  });

test('lodash', () =>
  logs(
    `const _ = require('lodash');
    console.log(_.chunk([1, 2, 3, 4, 5], 2), _.get({ a: [{ b: 3 }] }, 'a[0].b'));
    console.log(_.merge({ a: { x: 1 } }, { a: { y: 2 } }), _.isEqual(new Map([[1, { a: 1 }]]), new Map([[1, { a: 1 }]])));
    console.log(_.template('<%= name %>: <%- text %>')({ name: 'pump', text: '<b>' }), _.cloneDeep({ at: new Date(0) }));
    const later = _.debounce((text) => console.log(text), 1);
    later('never'); later('debounced');
    console.log(_.kebabCase('Über Größe'), _.groupBy([1.2, 1.8, 2.1], Math.floor), _.words('fred, barney').length);`,
    [
      '[ [ 1, 2 ], [ 3, 4 ], [ 5 ] ] 3',
      '{ a: { x: 1, y: 2 } } true',
      'pump: &lt;b&gt; { at: 1970-01-01T00:00:00.000Z }',
      "uber-grosse { '1': [ 1.2, 1.8 ], '2': [ 2.1 ] } 2",
      'debounced',
    ],
    'main.js',
  ));

test('date-fns', () =>
  logs(
    `import { addDays, differenceInMinutes, format, formatISO, parseISO, startOfWeek } from 'date-fns';
    import { de } from 'date-fns/locale';
    const at = parseISO('2024-02-28T23:30:00Z');
    console.log(formatISO(addDays(at, 2), { representation: 'date' }));
    console.log(format(at, 'EEEE, d. MMMM yyyy', { locale: de }), format(startOfWeek(at), 'yyyy-MM-dd'));
    console.log(differenceInMinutes(parseISO('2024-03-01T00:00:00Z'), at));`,
    ['2024-03-01', 'Mittwoch, 28. Februar 2024 2024-02-25', '1470'],
  ));

test('ajv', () =>
  logs(
    `const Ajv = require('ajv');
    const ajv = new Ajv({ allErrors: true });
    const validate = ajv.compile({
      type: 'object', required: ['machine'], additionalProperties: false,
      properties: { machine: { type: 'object', properties: { temperature: { type: 'number', maximum: 100 } } },
        tags: { type: 'array', items: { type: 'string', pattern: '^[a-zä]+$' }, uniqueItems: true } },
    });
    console.log(validate({ machine: { temperature: 21.5 }, tags: ['a', 'ä'] }));
    console.log(validate({ machine: { temperature: 'hot' }, tags: ['a', 'a'], more: 1 }));
    console.log(ajv.errorsText(validate.errors));`,
    [
      'true',
      'false',
      'data must NOT have additional properties, data/machine/temperature must be number, data/tags must NOT have duplicate items (items ## 1 and 0 are identical)',
    ],
    'main.js',
  ));

// It lives by chance: without `crypto` among the globals it can do nothing.
const uuid = installersFor('crypto.getRandomValues').length > 0 ? test : test.skip;
uuid('uuid', () =>
  withBuilt(
    {
      'main.mjs': `import { v4, v5, v7, validate, version, parse, stringify } from 'uuid';
      const id = v4();
      console.log(validate(id), version(id), id === v4(), stringify(parse(id)) === id);
      console.log(v5('edge-1', v5.DNS), version(v7()));`,
    },
    async (box) =>
      assert.equal(box.logs(), ['true 4 false true', `d4bd3a8e-cdce-5582-a6a9-f15266d24c3b 7`]),
  ),
);

test('mathjs', () =>
  logs(
    `import { create, all } from 'mathjs';
    const math = create(all);
    console.log(math.evaluate('sqrt(3^2 + 4^2) * 2 cm to mm').toString());
    console.log(math.format(math.inv([[1, 2], [3, 4]]), 4), math.derivative('x^2 + x', 'x').toString());
    console.log(math.bignumber('0.1').plus('0.2').toString(), math.std([2, 4, 6]), math.complex(1, 2).mul(math.i).toString());`,
    ['100 mm', '[[-2, 1], [1.5, -0.5]] 2 * x + 1', '0.3 2 -2 + i'],
  ));

test('protobufjs', () =>
  logs(
    `const protobuf = require('protobufjs');
    const { root } = protobuf.parse('syntax = "proto3"; package plant; message Reading { string sensor = 1; double value = 2; repeated uint32 codes = 3; int64 at = 4; bytes raw = 5; }');
    const Reading = root.lookupType('plant.Reading');
    const bytes = Reading.encode(Reading.create({ sensor: 'größe', value: 21.5, codes: [1, 300], at: 5, raw: Buffer.from([1, 2]) })).finish();
    console.log(bytes.length, Buffer.from(bytes).toString('hex').slice(0, 20));
    const reading = Reading.decode(bytes);
    console.log(reading.sensor, reading.value, reading.codes, Number(reading.at), Buffer.isBuffer(reading.raw) || reading.raw instanceof Uint8Array);
    console.log(Reading.verify({ value: 'x' }), JSON.stringify(Reading.toObject(reading, { longs: Number, bytes: String })));`,
    [
      '29 0a076772c3b6c39f6511',
      'größe 21.5 [ 1, 300 ] 5 true',
      'value: number expected {"sensor":"größe","value":21.5,"codes":[1,300],"at":5,"raw":"AQI="}',
    ],
    'main.js',
  ));

test('cbor-x', () =>
  logs(
    `import { encode, decode, Encoder } from 'cbor-x';
    const value = { at: new Date(0), list: [1, -2.5, 'ä', null, true], big: 2n ** 63n, map: new Map([[1, 'a']]), raw: Buffer.from([1, 2, 3]) };
    const bytes = encode(value);
    const back = decode(bytes);
    console.log(back.at.toISOString(), back.list, back.big, back.map.get(1), back.raw.length);
    const records = new Encoder({ structuredClone: true });
    const ring = { name: 'ring' }; ring.self = ring;
    const copy = records.decode(records.encode(ring));
    console.log(copy.self === copy, copy.name);`,
    ["1970-01-01T00:00:00.000Z [ 1, -2.5, 'ä', null, true ] 9223372036854775808n a 3", 'true ring'],
  ));

test('mqtt-packet', () =>
  logs(
    `const mqtt = require('mqtt-packet');
    const parser = mqtt.parser({ protocolVersion: 4 });
    parser.on('packet', (packet) => console.log(packet.cmd, packet.topic, String(packet.payload), packet.qos));
    parser.on('error', (error) => console.log(error.message));
    const bytes = mqtt.generate({ cmd: 'publish', topic: 'plant/1', payload: 'ä', qos: 1, messageId: 7 });
    parser.parse(bytes.subarray(0, 5)); console.log(bytes.length); parser.parse(bytes.subarray(5));
    console.log(mqtt.generate({ cmd: 'pingreq' }));
    class Out extends require('stream').PassThrough {}
    const out = new Out(); let size = 0; out.on('data', (data) => { size += data.length; if (size === 4) console.log('streamed', size); });
    mqtt.writeToStream({ cmd: 'connack', returnCode: 0, sessionPresent: false }, out);`,
    ['15', 'publish plant/1 ä 1', '<Buffer c0 00>', 'streamed 4'],
    'main.js',
  ));

test('zod', () =>
  logs(
    `import { z } from 'zod';
    const Telemetry = z.object({ machine: z.object({ temperature: z.number().max(100) }), tags: z.array(z.string()).default([]), at: z.coerce.date() });
    console.log(Telemetry.parse({ machine: { temperature: 20 }, at: '2024-01-01' }));
    const result = Telemetry.safeParse({ machine: { temperature: 200 }, at: 'never' });
    for (const { path, code } of result.error.issues) console.log(path.join('.'), code);
    console.log(await z.string().transform(async (text) => text.length).parseAsync('four'));`,
    [
      '{\n  machine: { temperature: 20 },\n  tags: [],\n  at: 2024-01-01T00:00:00.000Z\n}',
      'machine.temperature too_big',
      'at invalid_type',
      '4',
    ],
  ));

test('papaparse', () =>
  logs(
    `import Papa from 'papaparse';
    const { data, errors } = Papa.parse('sensor;value\\n"a;1";21,5\\nb;3\\n', { header: true, delimiter: ';', skipEmptyLines: true });
    console.log(data, errors.length);
    console.log(Papa.unparse([{ a: 1, b: 'x,y' }, { a: 2, b: '"' }]));`,
    [
      "[ { sensor: 'a;1', value: '21,5' }, { sensor: 'b', value: '3' } ] 0",
      'a,b\r\n1,"x,y"\r\n2,""""',
    ],
  ));

test.run();
