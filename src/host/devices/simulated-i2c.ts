/** An I2C bus that is not there, with chips that have registers: a pointer, and bytes behind it. */
import type { SimulatedChip } from '../../core/device-grant.ts';
import type { I2cBus } from './device-ports.ts';

/** The bus as the modules of one host share it: what one writes, another reads. */
export function createSimulatedI2c(chips: readonly SimulatedChip[]): I2cBus {
  const byAddress = new Map(chips.map((chip) => [chip.address, createChip(chip)]));
  return {
    transfer(address, bytes, readBytes) {
      const chip = byAddress.get(address);
      if (chip === undefined) {
        throw Object.assign(new Error('ENXIO: nobody answers'), { code: 'ENXIO' });
      }
      if (bytes.length > 0) chip.write(bytes);
      return chip.read(readBytes);
    },
    close() {},
  };
}

function createChip({ bytes, registerBytes }: SimulatedChip): {
  write(bytes: Uint8Array): void;
  read(count: number): Uint8Array;
} {
  const memory = Uint8Array.from(bytes);
  let register = 0;
  return {
    /** The first byte says where, the others are stored from there on. */
    write(data) {
      register = data[0] as number;
      const at = register * registerBytes;
      for (const [index, byte] of data.subarray(1).entries()) {
        if (at + index < memory.length) memory[at + index] = byte;
      }
    },
    /** From the pointer on; behind the last register a bus that nobody pulls down reads ones. */
    read(count) {
      const from = register * registerBytes;
      return Uint8Array.from({ length: count }, (_, index) => memory[from + index] ?? 0xff);
    },
  };
}
