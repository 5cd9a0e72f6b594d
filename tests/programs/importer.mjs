// The module that all the others are for; see modules.js.
import * as space from './exporter.mjs';
import * as nobody from './circular.mjs';
import fallback, { counter, bump as push, Klass as K, visit, empty } from './exporter.mjs';
import { look } from './circular.mjs';
import { readFileSync } from 'fs';
export { constant as reexported } from './exporter.mjs';
export * from './exporter.mjs';
export { counter as again };

export let first = 1;
export const fixed = 'of the importer';
export var older = 3;
export function exported(next) {
  let own = first;
  own += 1;
  note('exported', { next, own });
  next();
}
export class Exported {}
export default function named(next, p = 5) {
  p++;
  note('named', { next, p });
  look(next);
}

// Nothing uses these.
var unheard;
function unasked() {}

let local = { a: 1 };
let plain = 7;
const text = 'some text';
var varied = [plain];
const seesLocal = (next) => {
  const mine = [local];
  note('seesLocal', { next, mine });
  next();
};
const imports = (next) => {
  let of = counter + 1;
  note('imports', { next, of });
  next();
  return [push, K, fallback, space, () => late];
};
const chain = [seesLocal, exported, imports, visit, named];
sink(readFileSync);
train(chain);
first = 11;
push();
push();
const go = (at) => (at === chain.length ? end() : chain[at](() => go(at + 1)));

for (let round = 0, other = 5; round < 3; round++) {
  keep(() => other);
  plain += round;
  let inRound = round * 2;
  if (round === 2) {
    const { deep, ...rest } = { deep: 'd', left: 1 };
    try {
      throw 'thrown';
    } catch (e) {
      first = 12;
      note(
        'importer.mjs own',
        {
          space, nobody: space, fallback, counter, push, K, visit, look, first, fixed, older, exported, Exported, named, local, plain,
          text, varied, seesLocal, imports, chain, go, round, other, inRound, deep, rest, e, readFileSync, empty,
        },
        ['late', 'lateExport', 'LateClass', 'never'],
      );
      go(0);
    }
  }
}
let late = 1;
let never = 2;
export let lateExport = late + never;
export class LateClass {}
