/** The transports' names. A module passes one to `fromEnvironment`; which one makes no difference. */
import { takeSeam } from '../seam.ts';

const seam = takeSeam();

export class Mqtt extends seam.EventEmitter {}
export class MqttWs extends seam.EventEmitter {}
export class Amqp extends seam.EventEmitter {}
export class AmqpWs extends seam.EventEmitter {}
export class Http extends seam.EventEmitter {}
