/** DPS over HTTPS: what a device asks of it (spec/iothub.md §7). */
import type { Json } from '../core/json.ts';
import { HubError } from './hub-error.ts';
import type { Admitted, Registrations } from './registrations.ts';
import type { RestRequest, RestRoute } from './rest-router.ts';
import type { Surroundings } from './settings.ts';

export function registrationRoutes(
  registrations: Registrations,
  { settings }: Surroundings,
): readonly RestRoute[] {
  const later = { 'retry-after': String(settings.dpsRetryAfterS) };

  function admit({ params, headers, certificate }: RestRequest): Admitted {
    return registrations.admit({
      idScope: params['scope'] as string,
      registrationId: params['id'] as string,
      token: headers.authorization ?? '',
      certificate,
    });
  }

  return [
    {
      method: 'PUT',
      path: '/:scope/registrations/:id/register',
      right: 'own proof',
      dps: true,
      handle: (request) => {
        const admitted = admit(request);
        const body = registrations.register(admitted, payloadIn(request.body, admitted));
        return { status: 202, body, headers: later };
      },
    },
    {
      method: 'GET',
      path: '/:scope/registrations/:id/operations/:operation',
      right: 'own proof',
      dps: true,
      handle: (request) => {
        const operationId = request.params['operation'] as string;
        const body = registrations.operation(admit(request), operationId);
        return body['status'] === 'assigning'
          ? { status: 202, body, headers: later }
          : { status: 200, body };
      },
    },
    {
      method: 'POST',
      path: '/:scope/registrations/:id',
      right: 'own proof',
      dps: true,
      handle: (request) => ({
        status: 200,
        body: registrations.state(admit(request).registrationId),
      }),
    },
  ];
}

/** What the device wants its allocation to know; throws ArgumentInvalid when the body is for another. */
export function payloadIn(body: Json | undefined, { registrationId }: Admitted): Json | undefined {
  const given = (body ?? {}) as { readonly registrationId?: unknown; readonly payload?: Json };
  if (
    given.registrationId !== undefined &&
    String(given.registrationId).toLowerCase() !== registrationId.toLowerCase()
  ) {
    throw new HubError('ArgumentInvalid', 'registrationId in the body is another');
  }
  return given.payload;
}
