/** REST: configurations and edge deployments at scale, with their metrics (spec/iothub.md §5.2, §5.3, §5.6). */
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import {
  type ConfigurationDocument,
  configurationEtag,
  kindOf,
  metricProblem,
  parseConfigurationWish,
  targetProblem,
} from './configuration-document.ts';
import type { Configurations } from './configurations.ts';
import { queryResults } from './query.ts';
import { parseQuery } from './query-parser.ts';
import type { QueryRows } from './rest-query.ts';
import { type RestReply, type RestRequest, type RestRoute, topIn } from './rest-router.ts';

export function configurationsRoutes(
  configurations: Configurations,
  rows: QueryRows,
  limit: number,
): readonly RestRoute[] {
  /** How many rows each query finds. */
  const measure = (queries: Readonly<Record<string, string>>): JsonObject => ({
    results: Object.fromEntries(
      Object.entries(queries).map(([name, query]) => [name, count(query)]),
    ),
    queries,
  });

  function count(text: string): number {
    const query = parseQuery(text);
    let found = 0;
    for (const _ of queryResults(query, rows(query.from))) found += 1;
    return found;
  }

  const view = (document: ConfigurationDocument): JsonObject => ({
    id: document.id,
    schemaVersion: '1.0',
    labels: document.labels,
    content: document.content,
    targetCondition: document.targetCondition,
    createdTimeUtc: document.createdTimeUtc,
    lastUpdatedTimeUtc: document.lastUpdatedTimeUtc,
    priority: document.priority,
    systemMetrics: measure(systemQueries(document)),
    metrics: measure(document.metrics),
    etag: configurationEtag(document),
  });

  const reply = (document: ConfigurationDocument): RestReply => ({
    status: 200,
    body: view(document),
    headers: { etag: `"${configurationEtag(document)}"` },
  });

  const idIn = ({ params }: RestRequest): string => params['id'] as string;
  const path = '/configurations/:id';
  const right = 'ServiceConnect';
  return [
    {
      method: 'GET',
      path: '/configurations',
      right,
      handle: ({ query }) => ({
        status: 200,
        body: configurations.list(topIn(query, limit)).map((document) => view(document)),
      }),
    },
    {
      method: 'POST',
      path: '/configurations/testQueries',
      right,
      handle: ({ body }) => ({ status: 200, body: testQueries(body) }),
    },
    { method: 'GET', path, right, handle: (request) => reply(configurations.get(idIn(request))) },
    {
      method: 'PUT',
      path,
      right,
      handle(request) {
        const id = idIn(request);
        const wish = parseConfigurationWish(request.body, id);
        return reply(
          request.conditional
            ? configurations.update(id, wish, request.etag)
            : configurations.create(id, wish),
        );
      },
    },
    {
      method: 'DELETE',
      path,
      right,
      handle(request) {
        configurations.remove(idIn(request), request.etag);
        return { status: 204 };
      },
    },
  ];
}

/** The hub's own metrics, as it asks for them (spec/iothub.md §5.6). */
function systemQueries({
  id,
  content,
  targetCondition,
}: ConfigurationDocument): Readonly<Record<string, string>> {
  const condition = targetCondition.trim();
  if (condition === '') return {};
  const kind = kindOf(content);
  const applied = `configurations.[[${id}]].status = 'Applied'`;
  const targeted = condition === '*' ? '' : ` and (${condition})`;
  const where = condition === '*' ? '' : ` where ${condition}`;
  if (kind === 'device') {
    return {
      targetedCount: `select deviceId from devices${where}`,
      appliedCount: `select deviceId from devices where ${applied}`,
    };
  }
  if (kind === 'module') {
    return {
      targetedCount: `select deviceId, moduleId ${condition}`,
      appliedCount: `select deviceId, moduleId from devices.modules where ${applied}`,
    };
  }
  const agent = `select deviceId from devices.modules where moduleId = '$edgeAgent' and ${applied}`;
  const reported = `${agent} and properties.desired.$version = properties.reported.lastDesiredVersion and properties.reported.lastDesiredStatus.code`;
  return {
    targetedCount: `select deviceId from devices where capabilities.iotEdge = true${targeted}`,
    appliedCount: agent,
    reportedSuccessfulCount: `${reported} = 200`,
    reportedFailedCount: `${reported} != 200`,
  };
}

function testQueries(body: Json | undefined): JsonObject {
  const { targetCondition, customMetricQueries } = (
    isJsonObject(body ?? null) ? body : {}
  ) as Record<string, Json | undefined>;
  const queries = isJsonObject(customMetricQueries ?? null)
    ? Object.entries(customMetricQueries as JsonObject)
    : [];
  return {
    targetConditionError:
      typeof targetCondition === 'string' ? (targetProblem(targetCondition) ?? '') : '',
    customMetricQueryErrors: Object.fromEntries(
      queries.flatMap(([name, query]) => {
        const problem = metricProblem(String(query));
        return problem === undefined ? [] : [[name, problem]];
      }),
    ),
  };
}
