// What importer.mjs imports; see modules.js.
let hidden = 10;
let second = [3];
let alone = 'in a register';
export let counter = 1;
export const constant = 'fixed';
export var old = 2.5;
export let empty;
export function bump() {
  counter++;
  hidden += 2;
  return counter;
}
export class Klass {}
export { hidden as shown };
export default class {}
sink(alone);

export function visit(next) {
  const mine = second;
  note('exporter.mjs', { hidden, second, counter, constant, old, empty, bump, Klass, visit, defaulted, default: defaulted });
  note('visit', { next, mine });
  next();
}
import defaulted from './exporter.mjs';
