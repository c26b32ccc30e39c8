/** `isolet cloud set-modules` and `cloud deployment …`: what edge devices shall run, one by one or by the hundred. */
import { Fault } from '../../core/fault.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { table } from '../../lib/table.ts';
import type { Arguments, Command, Option } from '../command.ts';
import { jsonArgument } from './json-argument.ts';
import { clientOf, deviceOf, loginOptions } from './login.ts';
import { base, noWords, print, printList, printWhole, required } from './options.ts';
import { configurationPath, deploymentPath } from './paths.ts';

const contentOption: Option = {
  type: 'string',
  short: 'k',
  value: 'FILE',
  help: 'the deployment (JSON or a file)',
};
const idOption: Option = { type: 'string', value: 'ID', help: 'the deployment' };
const metricNames = [
  'targetedCount',
  'appliedCount',
  'reportedSuccessfulCount',
  'reportedFailedCount',
];

const setModules: Command = {
  ...noWords,
  name: 'cloud set-modules',
  summary: 'apply a deployment to one device: its modules become what the content says',
  options: { ...base, content: contentOption },
  async run(args) {
    const content = contentOf(args);
    await clientOf(args).call('POST', deploymentPath(deviceOf(args)), content);
    const applied = Object.keys(content['modulesContent'] as JsonObject);
    print(args, { applied }, 'The deployment is applied.');
    return 0;
  },
};

const createDeployment: Command = {
  ...noWords,
  name: 'cloud deployment create',
  summary: 'deploy to all edge devices a condition is true of, those that come later too',
  options: {
    ...loginOptions,
    'deployment-id': idOption,
    content: contentOption,
    'target-condition': {
      type: 'string',
      value: 'CONDITION',
      help: 'such as "tags.site = \'barn\'"; * for all (default: none)',
    },
    priority: { type: 'string', value: 'N', help: 'the higher one wins (default 1)' },
    labels: { type: 'string', value: 'JSON', help: 'names and values, for people' },
    metrics: {
      type: 'string',
      value: 'JSON',
      help: '{"queries": {"name": "SELECT …"}}, or a file',
    },
  },
  async run(args) {
    const id = required(args, 'deployment-id');
    const content = contentOf(args);
    const made = await clientOf(args).call('PUT', configurationPath(id), {
      id,
      schemaVersion: '1.0',
      content: { modulesContent: content['modulesContent'] as Json },
      targetCondition: args.text('target-condition') ?? '',
      priority: args.count('priority', 1),
      labels: objectOf(args, 'labels'),
      metrics: { results: {}, queries: objectOf(args, 'metrics', 'queries') },
    });
    print(args, made ?? null, `The deployment ${id} is there.`);
    return 0;
  },
};

const listDeployments: Command = {
  ...noWords,
  name: 'cloud deployment list',
  summary: 'the deployments, and how many devices they have reached',
  options: loginOptions,
  async run(args) {
    const answer = await clientOf(args).call('GET', '/configurations');
    const all = Array.isArray(answer) ? (answer as readonly Json[]).filter(isJsonObject) : [];
    const rows = all.map((each) => [
      String(each['id']),
      String(each['priority']),
      String(each['targetCondition']),
      ...metricNames.map((name) => metricOf(each, name)),
    ]);
    const head = [
      'DEPLOYMENT',
      'PRIORITY',
      'TARGETS',
      'TARGETED',
      'APPLIED',
      'SUCCEEDED',
      'FAILED',
    ];
    printList(args, all, rows.length === 0 ? 'There are no deployments.\n' : table(head, rows));
    return 0;
  },
};

const showDeployment: Command = {
  ...noWords,
  name: 'cloud deployment show',
  summary: 'a deployment with its content and metrics',
  options: { ...loginOptions, 'deployment-id': idOption },
  async run(args) {
    const path = configurationPath(required(args, 'deployment-id'));
    printWhole(args, (await clientOf(args).call('GET', path)) ?? null);
    return 0;
  },
};

const deleteDeployment: Command = {
  ...noWords,
  name: 'cloud deployment delete',
  summary: 'delete a deployment; its devices take the next one that means them',
  options: { ...loginOptions, 'deployment-id': idOption },
  async run(args) {
    const id = required(args, 'deployment-id');
    await clientOf(args).call('DELETE', configurationPath(id), undefined, { anyEtag: true });
    print(args, { deleted: id }, `The deployment ${id} is deleted.`);
    return 0;
  },
};

export const deploymentCommands: readonly Command[] = [
  setModules,
  createDeployment,
  listDeployments,
  showDeployment,
  deleteDeployment,
];

/** The manifest as it is, or below `content`, as tools write it. */
function contentOf(args: Arguments): JsonObject {
  const given = jsonArgument('--content', required(args, 'content'));
  const inner = isJsonObject(given) && isJsonObject(given['content']) ? given['content'] : given;
  if (!isJsonObject(inner) || !isJsonObject(inner['modulesContent'])) {
    throw new Fault('MANIFEST_INVALID', '--content must be an object with "modulesContent"');
  }
  return inner;
}

function objectOf(args: Arguments, option: string, key?: string): JsonObject {
  const text = args.text(option);
  if (text === undefined) return {};
  const given = jsonArgument(`--${option}`, text);
  const inner = key !== undefined && isJsonObject(given) ? (given[key] ?? given) : given;
  if (isJsonObject(inner)) return inner;
  throw new Fault('CONFIG_INVALID', `--${option} must be a JSON object`);
}

function metricOf(configuration: JsonObject, name: string): string {
  const metrics = configuration['systemMetrics'];
  const results = isJsonObject(metrics) ? metrics['results'] : undefined;
  const value = isJsonObject(results) ? results[name] : undefined;
  return typeof value === 'number' ? String(value) : '';
}
