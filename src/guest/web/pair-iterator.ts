/** What WebIDL says of `iterable<key, value>` (§3.7.10): `entries`, `keys`, `values` and `forEach`. */

type Pairs<Key, Value> = readonly (readonly [Key, Value])[];

/** %IteratorPrototype% */
const iteratorPrototype = Object.getPrototypeOf(
  Object.getPrototypeOf([][Symbol.iterator]()),
) as object;

/**
 * Defines them on the class; call it before `describeInterface`. `pairsOf` throws a TypeError when it is not
 * given an instance; it is asked at each step, so that what changes meanwhile is seen.
 */
export function pairIterators<Instance extends object, Key, Value>(
  Class: { readonly name: string; readonly prototype: Instance },
  pairsOf: (instance: Instance) => Pairs<Key, Value>,
): void {
  type Of = (pair: readonly [Key, Value]) => unknown;
  const steps = new WeakMap<object, { readonly instance: Instance; readonly of: Of; at: number }>();
  const prototype = Object.create(iteratorPrototype, {
    [Symbol.toStringTag]: { value: `${Class.name} Iterator`, configurable: true },
  }) as object;
  const { next } = {
    next(this: object): { value: unknown; done: boolean } {
      const step = steps.get(this);
      if (step === undefined) throw new TypeError(`This is no iterator of ${Class.name}`);
      const pair = pairsOf(step.instance)[step.at];
      if (pair === undefined) return { value: undefined, done: true };
      step.at++;
      return { value: step.of(pair), done: false };
    },
  };
  Object.defineProperty(prototype, 'next', {
    value: next,
    writable: true,
    enumerable: true,
    configurable: true,
  });

  function iterate(instance: Instance, of: Of): object {
    pairsOf(instance);
    const iterator = Object.create(prototype) as object;
    steps.set(iterator, { instance, of, at: 0 });
    return iterator;
  }

  const methods = {
    entries(this: Instance): object {
      return iterate(this, ([key, value]) => [key, value]);
    },
    keys(this: Instance): object {
      return iterate(this, ([key]) => key);
    },
    values(this: Instance): object {
      return iterate(this, ([, value]) => value);
    },
    forEach(
      this: Instance,
      run: (value: Value, key: Key, instance: Instance) => void,
      ...[receiver]: readonly [receiver?: unknown]
    ): void {
      pairsOf(this);
      if (typeof run !== 'function') throw new TypeError('forEach needs a function');
      for (let i = 0; ; i++) {
        const pair = pairsOf(this)[i];
        if (pair === undefined) return;
        Reflect.apply(run, receiver, [pair[1], pair[0], this]);
      }
    },
  };
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(Class.prototype, name, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  Object.defineProperty(Class.prototype, Symbol.iterator, {
    value: methods.entries,
    writable: true,
    configurable: true,
  });
}
