/** REST: enrolments and registrations of DPS, as its service SDK and `az iot dps` use them. */
import { isJsonObject, type JsonObject } from '../core/json.ts';
import {
  attestationView,
  type Enrolment,
  type EnrolmentKind,
  enrolmentEtag,
  enrolmentView,
} from './enrolment.ts';
import type { Enrolments } from './enrolments.ts';
import { HubError } from './hub-error.ts';
import type { Registrations } from './registrations.ts';
import { pageSize } from './rest-query.ts';
import type { RestReply, RestRequest, RestRoute } from './rest-router.ts';

const dps = { right: 'EnrollmentWrite', dps: true } as const;
/** All that the emulator can be asked for; the service SDK's samples write the short form. */
const EVERYTHING = /^\s*(?:\*|select\s+\*(?:\s+from\s+\w+)?)\s*$/i;

export function enrolmentRoutes(
  enrolments: Enrolments,
  registrations: Registrations,
): readonly RestRoute[] {
  const reply = (enrolment: Enrolment): RestReply => ({
    status: 200,
    body: enrolmentView(enrolment),
    headers: { etag: `"${enrolmentEtag(enrolment)}"` },
  });
  const idIn = ({ params }: RestRequest): string => params['id'] as string;

  function routesOf(kind: EnrolmentKind, base: string): readonly RestRoute[] {
    const one = `${base}/:id`;
    return [
      {
        method: 'POST',
        path: `${base}/query`,
        ...dps,
        handle: (request) =>
          page(
            request,
            kind === 'group' ? 'EnrollmentGroup' : 'Enrollment',
            enrolments
              .all(kind)
              .map((each) => ({ key: keyOf(each.id), item: enrolmentView(each) })),
          ),
      },
      {
        method: 'POST',
        path: `${one}/attestationmechanism`,
        ...dps,
        handle: (request) => ({
          status: 200,
          body: attestationView(enrolments.get(kind, idIn(request)).attestation, kind),
        }),
      },
      {
        method: 'GET',
        path: one,
        ...dps,
        handle: (request) => reply(enrolments.get(kind, idIn(request))),
      },
      {
        method: 'PUT',
        path: one,
        ...dps,
        handle: (request) => reply(enrolments.put(kind, idIn(request), request.body, request)),
      },
      {
        method: 'DELETE',
        path: one,
        ...dps,
        handle(request) {
          enrolments.remove(kind, idIn(request), request.etag);
          return { status: 204 };
        },
      },
    ];
  }

  return [
    ...routesOf('individual', '/enrollments'),
    ...routesOf('group', '/enrollmentGroups'),
    {
      method: 'GET',
      path: '/registrations/:id',
      ...dps,
      handle: (request) => ({ status: 200, body: registrations.state(idIn(request)) }),
    },
    {
      method: 'DELETE',
      path: '/registrations/:id',
      ...dps,
      handle(request) {
        registrations.forget(idIn(request));
        return { status: 204 };
      },
    },
    {
      method: 'POST',
      path: '/registrations/:id/query',
      ...dps,
      handle: (request) =>
        page(
          request,
          'DeviceRegistration',
          registrations
            .ofGroup(idIn(request))
            .map((item) => ({ key: keyOf(String(item['registrationId'])), item })),
        ),
    },
  ];
}

/** Rows are in the order of their keys; the next page begins after the key that the continuation names. */
function page(
  { body, headers }: RestRequest,
  itemType: string,
  rows: readonly { readonly key: string; readonly item: JsonObject }[],
): RestReply {
  const query = isJsonObject(body ?? null) ? (body as JsonObject)['query'] : undefined;
  if (typeof query !== 'string' || !EVERYTHING.test(query)) {
    throw new HubError(
      'ArgumentInvalid',
      'the body must be {"query": "SELECT * FROM enrollments"}',
    );
  }
  const size = pageSize(headers);
  const token = headers['x-ms-continuation']?.toString() ?? '';
  const after = Buffer.from(token, 'base64url').toString();
  const left = rows.filter(({ key }) => key > after);
  const shown = left.slice(0, size);
  const next = Buffer.from(shown.at(-1)?.key ?? '').toString('base64url');
  return {
    status: 200,
    body: shown.map(({ item }) => item),
    headers: {
      'x-ms-item-type': itemType,
      ...(left.length > size ? { 'x-ms-continuation': next } : {}),
    },
  };
}

/** Ids are compared without case, and kept in that order. */
function keyOf(id: string): string {
  return id.toLowerCase();
}
