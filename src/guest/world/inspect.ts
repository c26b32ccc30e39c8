/**
 * Values as text, in the shape Node's `util.inspect` gives them, with its defaults: two levels deep,
 * a hundred items, lines of eighty characters. Written for logs: it never throws.
 */
export const inspectCustom = Symbol.for('nodejs.util.inspect.custom');

export type InspectOptions = {
  /** Levels of nesting shown; null or Infinity = all, up to a fixed limit. */
  readonly depth?: number | null;
  readonly showHidden?: boolean;
  readonly breakLength?: number;
  readonly maxArrayLength?: number | null;
  readonly maxStringLength?: number | null;
};

type Context = {
  readonly depth: number;
  readonly breakLength: number;
  readonly itemsMax: number;
  readonly stringMax: number;
  readonly above: unknown[];
  /** Level of the object last begun; tells whether an object has nested ones. */
  level: number;
  indentation: number;
  /** Objects left to show: a wide graph costs no more than this. */
  budget: number;
};

const DEPTH_MAX = 50;
const OBJECTS_MAX = 2000;
/** An object with this many levels below it is not put on one line. */
const COMPACT_LEVELS = 3;

export function inspect(value: unknown, options: InspectOptions | boolean = {}): string {
  const wanted = typeof options === 'object' ? options : {};
  const depth = wanted.depth === null ? DEPTH_MAX : (wanted.depth ?? 2);
  return show(
    {
      depth: Math.min(depth, DEPTH_MAX),
      breakLength: wanted.breakLength ?? 80,
      itemsMax: wanted.maxArrayLength ?? 100,
      stringMax: wanted.maxStringLength ?? 10_000,
      above: [],
      level: 0,
      indentation: 0,
      budget: OBJECTS_MAX,
    },
    value,
    0,
  );
}

function show(context: Context, value: unknown, level: number): string {
  switch (typeof value) {
    case 'string':
      return quote(context, value);
    case 'number':
      return Object.is(value, -0) ? '-0' : `${value}`;
    case 'bigint':
      return `${value}n`;
    case 'symbol':
      return value.toString();
    case 'object':
    case 'function':
      if (value === null) return 'null';
      try {
        return showObject(context, value as Shown, level);
      } catch {
        return '[an object that cannot be read]';
      }
    default:
      return String(value);
  }
}

type Shown = Record<PropertyKey, unknown>;

function showObject(context: Context, value: Shown, level: number): string {
  const custom = value[inspectCustom];
  if (typeof custom === 'function') {
    const result: unknown = Reflect.apply(custom, value, [
      context.depth - level,
      { depth: context.depth },
      inspect,
    ]);
    if (result !== value) return typeof result === 'string' ? result : show(context, result, level);
  }
  if (context.above.includes(value)) return '[Circular *1]';
  if (context.budget-- <= 0) return '[…]';
  const shape = describe(context, value);
  if (shape.whole !== undefined && shape.names.length === 0) return shape.whole;
  if (level > context.depth)
    return Array.isArray(value) ? '[Array]' : `[${shape.title || 'Object'}]`;

  context.above.push(value);
  context.level = level;
  context.indentation += 2;
  const output =
    shape.items === undefined ? [] : shape.items((item) => show(context, item, level + 1));
  for (const name of shape.names) output.push(showProperty(context, value, name, level));
  context.indentation -= 2;
  context.above.pop();
  return assemble(context, output, shape, level);
}

type Shape = {
  /** Complete text when there are no own properties to add. */
  readonly whole?: string;
  readonly title: string;
  readonly open: string;
  readonly close: string;
  readonly names: readonly PropertyKey[];
  readonly items?: (each: (item: unknown) => string) => string[];
};

function describe(context: Context, value: Shown): Shape {
  const isList =
    Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
  const names = namesOf(value, isList);
  const name = classOf(value);
  const empty = (text: string): Shape => ({
    whole: text,
    title: text,
    open: '{',
    close: '}',
    names,
  });

  if (isList) {
    const list = value as unknown as ArrayLike<unknown>;
    const title = name === 'Array' ? '' : `${name}(${list.length})`;
    const items = (each: (item: unknown) => string): string[] => showList(context, list, each);
    const whole = list.length === 0 ? { whole: `${title ? `${title} ` : ''}[]` } : {};
    return { ...whole, title, open: '[', close: ']', names, items };
  }
  if (typeof value === 'function') {
    const named = (value as { name?: unknown }).name;
    const kind = /^class\b/.test(Function.prototype.toString.call(value)) ? 'class' : 'Function';
    const called = typeof named === 'string' && named !== '' ? named : '(anonymous)';
    return empty(
      kind === 'class'
        ? `[class ${called}]`
        : `[Function${called === '(anonymous)' ? ' ' : ': '}${called}]`,
    );
  }
  if (value instanceof Error) return empty(errorText(value));
  if (value instanceof Date) {
    return empty(Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString());
  }
  if (value instanceof RegExp) return empty(String(value));
  if (value instanceof Promise) return empty('Promise {}');
  if (value instanceof WeakMap || value instanceof WeakSet)
    return empty(`${name} { <items unknown> }`);
  if (value instanceof Number || value instanceof String || value instanceof Boolean) {
    return empty(`[${name}: ${show(context, value.valueOf(), 0)}]`);
  }
  if (value instanceof ArrayBuffer) return empty(`ArrayBuffer { byteLength: ${value.byteLength} }`);
  if (value instanceof Map) {
    return {
      ...(value.size === 0 ? { whole: `${name}(0) {}` } : {}),
      title: `${name}(${value.size})`,
      open: '{',
      close: '}',
      names,
      items: (each) =>
        limited(context, value.size, value, ([key, item]) => `${each(key)} => ${each(item)}`),
    };
  }
  if (value instanceof Set) {
    return {
      ...(value.size === 0 ? { whole: `${name}(0) {}` } : {}),
      title: `${name}(${value.size})`,
      open: '{',
      close: '}',
      names,
      items: (each) => limited(context, value.size, value, each),
    };
  }
  const title = name === 'Object' ? '' : name;
  const whole = names.length === 0 ? { whole: title === '' ? '{}' : `${title} {}` } : {};
  return { ...whole, title, open: '{', close: '}', names };
}

function showList(
  context: Context,
  list: ArrayLike<unknown>,
  each: (item: unknown) => string,
): string[] {
  const output: string[] = [];
  const length = list.length;
  for (let i = 0; i < length && output.length < context.itemsMax; i++) {
    let holes = 0;
    while (i + holes < length && !(i + holes in list)) holes++;
    if (holes > 0) output.push(`<${holes} empty item${holes > 1 ? 's' : ''}>`);
    i += holes;
    if (i < length && output.length < context.itemsMax) output.push(each(list[i]));
  }
  if (length > context.itemsMax) output.push(more(length - context.itemsMax));
  return output;
}

function limited<Item>(
  context: Context,
  size: number,
  items: Iterable<Item>,
  each: (item: Item) => string,
): string[] {
  const output: string[] = [];
  for (const item of items) {
    if (output.length >= context.itemsMax) {
      output.push(more(size - context.itemsMax));
      break;
    }
    output.push(each(item));
  }
  return output;
}

function more(count: number): string {
  return `... ${count} more item${count > 1 ? 's' : ''}`;
}

function namesOf(value: object, isList: boolean): PropertyKey[] {
  let names: PropertyKey[] = Object.keys(value);
  if (isList || value instanceof String)
    names = names.filter((name) => !/^(0|[1-9]\d*)$/.test(String(name)));
  if (value instanceof Error)
    names = names.filter((name) => name !== 'stack' && name !== 'message');
  const symbols = Object.getOwnPropertySymbols(value).filter((symbol) =>
    Object.prototype.propertyIsEnumerable.call(value, symbol),
  );
  return [...names, ...symbols];
}

function classOf(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null) return '[Object: null prototype]';
  const maker: unknown = (value as { constructor?: unknown }).constructor;
  const name = typeof maker === 'function' ? maker.name : '';
  return name === '' ? 'Object' : name;
}

function errorText(error: Error): string {
  const stack: unknown = error.stack;
  let text = typeof stack === 'string' && stack !== '' ? stack : `[${String(error)}]`;
  // The stack keeps the name the error was born with.
  if (error.name !== 'Error' && text.startsWith('Error') && typeof error.name === 'string') {
    text = `${error.name}${text.slice(5)}`;
  }
  if (error.cause === undefined) return text;
  return `${text}\n  [cause]: ${inspect(error.cause)}`;
}

function showProperty(context: Context, value: Shown, name: PropertyKey, level: number): string {
  const property = Object.getOwnPropertyDescriptor(value, name);
  let text: string;
  if (property?.get !== undefined)
    text = property.set === undefined ? '[Getter]' : '[Getter/Setter]';
  else if (property?.set !== undefined) text = '[Setter]';
  else text = show(context, value[name], level + 1);
  if (typeof name === 'symbol') return `${name.toString()}: ${text}`;
  const key = /^[A-Za-z_][\w]*$/.test(String(name)) ? String(name) : quoted(String(name));
  return `${key}: ${text}`;
}

function assemble(context: Context, output: string[], shape: Shape, level: number): string {
  const title = shape.whole ?? shape.title;
  const start = title === '' ? shape.open : `${title} ${shape.open}`;
  if (output.length === 0) return `${start}${shape.close}`;
  if (context.level - level < COMPACT_LEVELS) {
    // Node's rule for one line: the items, their separators and a margin of ten fit.
    let length = output.length * 2 + context.indentation + start.length + 10;
    for (const item of output) length += item.length;
    if (length <= context.breakLength && !output.some((item) => item.includes('\n'))) {
      return `${start} ${output.join(', ')} ${shape.close}`;
    }
  }
  const indent = `\n${' '.repeat(context.indentation)}`;
  return `${start}${indent}  ${output.join(`,${indent}  `)}${indent}${shape.close}`;
}

function quote(context: Context, text: string): string {
  if (text.length <= context.stringMax) return quoted(text);
  const rest = text.length - context.stringMax;
  return `${quoted(text.slice(0, context.stringMax))}... ${rest} more character${rest > 1 ? 's' : ''}`;
}

function quoted(text: string): string {
  const mark = !text.includes("'")
    ? "'"
    : !text.includes('"')
      ? '"'
      : !text.includes('`')
        ? '`'
        : "'";
  // oxlint-disable-next-line no-control-regex -- control characters are what is escaped here
  const escaped = text.replace(/[\x00-\x1f\x7f\\]/g, (unit) => escapes[unit] ?? hex(unit));
  return mark + (mark === "'" ? escaped.replaceAll("'", "\\'") : escaped) + mark;
}

const escapes: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\t': '\\t',
  '\r': '\\r',
  '\b': '\\b',
  '\f': '\\f',
  '\v': '\\v',
  '\\': '\\\\',
};

function hex(unit: string): string {
  return `\\x${unit.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
