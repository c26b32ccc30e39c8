/** Errors of zlib, by the names and numbers it has for them. */

const errnos = { Z_NEED_DICT: 2, Z_DATA_ERROR: -3, Z_BUF_ERROR: -5 } as const;

export type ZlibCode = keyof typeof errnos;

export function zlibError(code: ZlibCode, message: string): Error {
  return Object.assign(new Error(message), { errno: errnos[code], code });
}

export const endsEarly = (): Error => zlibError('Z_BUF_ERROR', 'unexpected end of file');
export const badData = (what: string): Error => zlibError('Z_DATA_ERROR', what);

/** As Node refuses to make what is larger than its limit. */
export function tooLarge(max: number): RangeError {
  return Object.assign(new RangeError(`Cannot create a Buffer larger than ${max} bytes`), {
    code: 'ERR_BUFFER_TOO_LARGE',
  });
}
