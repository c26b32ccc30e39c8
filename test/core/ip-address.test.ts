/** Addresses: the forms there are, what lies in what, and which are the public internet. */
import { isIP } from 'node:net';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  contains,
  firstOf,
  formatIp,
  type IpAddress,
  isPublicBlock,
  kindOf,
  parseIpAddress,
  parseIpBlock,
} from '../../src/core/ip-address.ts';

const test = suite('ip address');

const ip = (text: string): IpAddress => {
  const address = parseIpAddress(text);
  if (address === undefined) throw new Error(text);
  return address;
};

test('only the strict forms are addresses', () => {
  const none =
    '0177.0.0.1 2130706433 0x7f.0.0.1 127.1 1.2.3.256 1.2.3 1.2.3.4.5 01.2.3.4 1.2.3.4. [::1] ::1%lo ::: 1::2::3 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 ::g 12345:: 1:2:3:4:5:6:7::8 ::1.2.3 ::1.2.3.4:5 1.2.3.4::';
  for (const text of ['', ...none.split(' ')]) assert.is(parseIpAddress(text), undefined, text);
  assert.is(formatIp(ip('2001:DB8:0:0:1:0:0:1')), '2001:db8::1:0:0:1');
  assert.is(formatIp(ip('::FFFF:10.0.0.1')), '::ffff:a00:1');
  assert.is(formatIp(ip('0:0:0:0:0:0:0:0')), '::');
  assert.is(formatIp(ip('1:0:2:3:4:5:6:7')), '1:0:2:3:4:5:6:7');
  assert.is(formatIp(ip('1::')), '1::');
});

test('what Node takes for an address in our form is one here, and comes back the same', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const address = ip(text);
      assert.is(isIP(text), address.family);
      const shown = formatIp(address);
      assert.is(isIP(shown), address.family);
      assert.equal(ip(shown), address);
      if (address.family === 6) assert.is(new URL(`http://[${text}]`).hostname, `[${shown}]`);
    }),
  );
});

test('every special address is no public one', () => {
  const special =
    '0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.0.3 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.1.2.3 240.0.0.1 255.255.255.255 168.63.129.16 100.100.100.200 :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1 4000::1';
  for (const text of special.split(' ')) assert.is.not(kindOf(ip(text)), 'public', text);
  for (const text of '1.1.1.1 8.8.8.8 100.63.0.1 100.128.0.1 172.15.0.1 172.32.0.1 192.169.0.1 223.255.255.255 2606:4700::1111 2a00:1450::1'.split(
    ' ',
  )) {
    assert.is(kindOf(ip(text)), 'public', text);
  }
});

test('a public block holds public addresses alone', () => {
  const blocks = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }), fc.ipV4());
  fc.assert(
    fc.property(blocks, ([first, bits, other]) => {
      const block = firstOf({ ...ip(first), bits });
      assert.ok(contains(block, ip(first)));
      if (isPublicBlock(block)) assert.is(kindOf(ip(first)), 'public');
      if (contains(block, ip(other)) && kindOf(ip(other)) !== 'public') {
        assert.not.ok(isPublicBlock(block));
      }
    }),
  );
  assert.not.ok(isPublicBlock({ ...ip('0.0.0.0'), bits: 0 }));
  assert.not.ok(isPublicBlock({ ...ip('2000::'), bits: 3 }));
  assert.ok(isPublicBlock({ ...ip('8.8.8.0'), bits: 24 }));
});

test('blocks', () => {
  for (const text of ['10.0.0.0/33', '10.0.0.0/08', '10.0.0.0/', '::/129', '/8', '1.1.1.1/8/8']) {
    assert.is(parseIpBlock(text), undefined, text);
  }
  const all4 = { ...ip('0.0.0.0'), bits: 0 };
  assert.not.ok(contains(all4, ip('::ffff:1.2.3.4')));
  assert.not.ok(contains({ ...ip('::'), bits: 0 }, ip('1.2.3.4')));
});

test.run();
