/** REST: enrolments and registrations of DPS, as its service SDK and `az iot dps` use them. */
import type { JsonObject } from '../core/json.ts';
import {
  attestationView,
  type Enrolment,
  type EnrolmentKind,
  enrolmentEtag,
  enrolmentView,
} from './enrolment.ts';
import type { Enrolments } from './enrolments.ts';
import type { Registrations } from './registrations.ts';
import type { RestReply, RestRequest, RestRoute } from './rest-router.ts';

const right = 'EnrollmentWrite';

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
        right,
        handle: () => ({
          status: 200,
          body: enrolments.all(kind).map(enrolmentView),
          headers: { 'x-ms-item-type': kind === 'group' ? 'EnrollmentGroup' : 'Enrollment' },
        }),
      },
      {
        method: 'POST',
        path: `${one}/attestationmechanism`,
        right,
        handle: (request) => ({
          status: 200,
          body: attestationView(enrolments.get(kind, idIn(request)).attestation, kind),
        }),
      },
      {
        method: 'GET',
        path: one,
        right,
        handle: (request) => reply(enrolments.get(kind, idIn(request))),
      },
      {
        method: 'PUT',
        path: one,
        right,
        handle: (request) => reply(enrolments.put(kind, idIn(request), request.body, request)),
      },
      {
        method: 'DELETE',
        path: one,
        right,
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
      right,
      handle: (request) => ({ status: 200, body: registrations.state(idIn(request)) }),
    },
    {
      method: 'DELETE',
      path: '/registrations/:id',
      right,
      handle(request) {
        registrations.forget(idIn(request));
        return { status: 204 };
      },
    },
    {
      method: 'POST',
      path: '/registrations/:id/query',
      right,
      handle: (request): { status: number; body: JsonObject[] } => ({
        status: 200,
        body: [...registrations.ofGroup(idIn(request))],
      }),
    },
  ];
}
