/** What a module is granted of the machine's buses, lines and ports; and those that are only played. */
export type DeviceKind = 'i2c' | 'spi' | 'gpio' | 'serial';

/** A device of the machine a module may use, from `HostConfig.Devices`. */
export type DeviceGrant = {
  /** Below /dev. */
  readonly path: string;
  /** The path as the module sees it. */
  readonly target: string;
  /** Undefined = of no kind a module can use; it must be there all the same, as Docker wants it. */
  readonly kind: DeviceKind | undefined;
  readonly readable: boolean;
  readonly writable: boolean;
  /** The field of the deployment that grants it. */
  readonly at: string;
  /** It is played by the runtime (src/core/simulated-devices.ts). */
  readonly simulated?: SimulatedDevice | undefined;
};

/** A device that is not there, for tests and for a laptop. */
export type SimulatedDevice =
  | { readonly kind: 'i2c'; readonly chips: readonly SimulatedChip[] }
  /** What is sent comes back. */
  | { readonly kind: 'spi' }
  /** `wires`: what is put out on the first line is seen on the second. */
  | {
      readonly kind: 'gpio';
      readonly lines: number;
      readonly wires: readonly (readonly [number, number])[];
    }
  /** What is sent comes back. */
  | { readonly kind: 'serial' };

/** A chip with registers, as sensors have them; they begin as `bytes`. */
export type SimulatedChip = {
  readonly address: number;
  readonly bytes: readonly number[];
  /** Bytes of one register: register 2 begins at byte 2 × registerBytes. */
  readonly registerBytes: number;
};
