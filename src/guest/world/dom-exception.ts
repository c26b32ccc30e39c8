/** `DOMException` (WebIDL §2.8.1): the error class of the web's interfaces, with a name and an old-fashioned code. */
import { CLONE, describeInterface } from './webidl.ts';

/** Legacy codes by name, in the order of their numbers from 1; a `-` has no name any more. */
const NAMES =
  'IndexSize,-,HierarchyRequest,WrongDocument,InvalidCharacter,-,NoModificationAllowed,NotFound,NotSupported,InUseAttribute,InvalidState,Syntax,InvalidModification,Namespace,InvalidAccess,-,TypeMismatch,Security,Network,Abort,URLMismatch,QuotaExceeded,Timeout,InvalidNodeType,DataClone'.split(
    ',',
  );
const CONSTANTS =
  'INDEX_SIZE,DOMSTRING_SIZE,HIERARCHY_REQUEST,WRONG_DOCUMENT,INVALID_CHARACTER,NO_DATA_ALLOWED,NO_MODIFICATION_ALLOWED,NOT_FOUND,NOT_SUPPORTED,INUSE_ATTRIBUTE,INVALID_STATE,SYNTAX,INVALID_MODIFICATION,NAMESPACE,INVALID_ACCESS,VALIDATION,TYPE_MISMATCH,SECURITY,NETWORK,ABORT,URL_MISMATCH,QUOTA_EXCEEDED,TIMEOUT,INVALID_NODE_TYPE,DATA_CLONE'.split(
    ',',
  );

type Details = { readonly name: string; readonly message: string };
const known = new WeakMap<object, Details>();

function detailsOf(exception: object): Details {
  const details = known.get(exception);
  if (details === undefined) throw new TypeError('Illegal invocation: this is no DOMException');
  return details;
}

/**
 * The second argument is its name, or `{ name, cause }` as Node has it. An instance is a true Error, so that
 * it has a stack, and the class is still no subclass of `Error`, as WebIDL wants it.
 */
export class DOMException {
  constructor(message: unknown = '', options: unknown = 'Error') {
    const withCause = typeof options === 'object' && options !== null && 'name' in options;
    const details = {
      message: `${message as string}`,
      name: `${(withCause ? options.name : options) as string}`,
    };
    // The message is for the first line of the stack; the property is the prototype's.
    const exception = Reflect.construct(Error, [details.message], new.target) as Error;
    delete (exception as Partial<Error>).message;
    known.set(exception, details);
    if (withCause && 'cause' in options) {
      Object.defineProperty(exception, 'cause', {
        value: options.cause,
        writable: true,
        configurable: true,
      });
    }
    // Once more, now that its name can be told.
    Error.captureStackTrace(exception, new.target);
    // oxlint-disable-next-line no-constructor-return -- a true Error in its place
    return exception as unknown as DOMException;
  }

  get name(): string {
    return detailsOf(this).name;
  }
  get message(): string {
    return detailsOf(this).message;
  }
  get code(): number {
    const { name } = detailsOf(this);
    return name.endsWith('Error') ? NAMES.indexOf(name.slice(0, -5)) + 1 : 0;
  }

  [CLONE](): DOMException {
    const { name, message } = detailsOf(this);
    const copy = new DOMException(message, name);
    const { stack } = this as unknown as Error;
    Object.defineProperty(copy, 'stack', { value: stack, writable: true, configurable: true });
    return copy;
  }

  static {
    Object.setPrototypeOf(this.prototype, Error.prototype);
    describeInterface(this, Object.fromEntries(CONSTANTS.map((name, i) => [`${name}_ERR`, i + 1])));
  }
}
