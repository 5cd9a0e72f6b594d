// A module that waits; see modules.js.
import { counter as count, bump } from './exporter.mjs';

let before = 1;
const got = await Promise.resolve('got');
let captured = 4;
bump();
export let out = 5;
export function go(next) {
  out++;
  captured++;
  note('awaits.mjs', { captured, out, go, count, bump, other }, ['unreached']);
  note('go', { next });
  next();
}
import { constant as other } from './exporter.mjs';
keep(() => unreached);
for await (const each of [1, 2]) {
  let block = await (each * 10);
  if (each === 2 && variant === 'await') {
    before += captured;
    captured = 5;
    note('awaits.mjs own', { before, got, captured, out, go, count, bump, other, each, block }, ['never', 'unreached']);
    go(end);
  }
}
if (variant === 'suspended') setTimeout(go, 1, end);
const never = await new Promise((resolve) => setTimeout(resolve, 1000000));
export const unreached = never;
