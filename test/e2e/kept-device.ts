/** A device in a process of its own, to be killed: runs one module and prints its lines. Arguments: data folder, image. */
import { deployment, spec, startDevice } from './device.ts';

const [dataDir = '', image = ''] = process.argv.slice(2);
const device = await startDevice({ dataDir });
device.supervisor.logs.follow('keeper', ({ text }) => process.stdout.write(`${text}\n`));
device.upstream.desired('$edgeAgent', deployment({ keeper: spec(image) }));
