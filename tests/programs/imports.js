// What modules import that is no ES module of the usual kind: CommonJS, JSON, Node's own, what `import()`
// gives or has not given yet, and modules that failed. The files are written for the release that runs.
// Each place says what its variables hold just before it calls, as in modules.js.
// usage: imports.js [plain] [--wait]
const fs = require('fs');
const os = require('os');
const path = require('path');
const { pathToFileURL } = require('url');
const { tell, lastStep } = require('./truth.js');

const [major, minor] = process.versions.node.split('.').map(Number);
// `import()` gives a module that waits from here on.
const waits = major >= 16;
const json = major >= 18;
const attribute = major >= 22 || (major === 20 && minor >= 10) || (major === 18 && minor >= 20) ? 'with' : 'assert';

const show = (value) => {
  if (Object.prototype.toString.call(value) === '[object Module]') return '[object Module]';
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (Array.isArray(value)) return `[array ${value.length}]`;
  if (typeof value === 'object' && value !== null) return `[object ${value.constructor.name}]`;
  return typeof value === 'string' ? `'${value}'` : String(value);
};
const notes = new Map();
function takeNotes() {
  const places = {};
  for (const [name, { values, without }] of notes) {
    places[name] = { values: {}, without };
    for (const key of Object.keys(values)) places[name].values[key] = show(values[key]);
  }
  tell({ program: 'imports', node: process.version, places });
}
function finish(steps) {
  for (let i = 0; i < steps.length; i++) steps[i]();
}

// The code of main.mjs itself goes on when others have failed or are still awaited.
const ownCode = `const within = await import("./plain.mjs");
    failure = await import("./failed.mjs").catch((error) => error);
    unlinked = await import("./unlinked.mjs").catch((error) => error);
    { let inBlock = seven;
      const of = { common, one, renamed, wholeCommon, sep, pathItself, data, seven, wholePlain, circle, oddly, main, x, rest, failure, unlinked, odd };
      note('main.mjs', of, ['go']);
      note('main.mjs own', { ...of, of, within, pending, Kept, inBlock }, ['go']);
      circle(() => main(() => ofFailed(end)));
      sink(inBlock); }`;
const files = {
  'data.json': '{ "a": 1 }',
  'common.cjs': `exports.one = 1; exports.two = { deep: 2 }; exports.three = () => 3;`,
  'plain.mjs': `export let plain = 'plain'; export default 7;`,
  // Its functions are there, what it declares after the error never will.
  'failed.mjs': `import { plain as seen } from "./plain.mjs";
    export let before = 'before';
    const inRegister = [1];
    globalThis.ofFailed = function ofFailed(next) {
      let own = before;
      note('failed.mjs', { seen, before, inFunction: ofFailed.inFunction }, ['never', 'after']);
      note('ofFailed', { next, own, ofFailed });
      next();
      sink(() => [never, after, inFunction]);
    };
    let inFunction = globalThis.ofFailed.inFunction = { is: 1 };
    sink(inRegister);
    throw new Error('as it should be');
    let never = 1;
    export const after = 2;`,
  // What it imports is not there, so that its code never ran and its functions are not seen.
  'unlinked.mjs': `import { missing } from "./plain.mjs"; globalThis.never = missing;`,
  'waits.mjs': waits ? `export let early = 5; let never = await new Promise(() => {}); export { never };` : `export let early = 5;`,
  // It and main.mjs import each other.
  'circle.mjs': `import main, * as whole from "./main.mjs";
    export * from "./main.mjs";
    import * as self from "./circle.mjs";
    export const own = 'own';
    export function circle(next) {
      note('circle.mjs', { main, whole, self, own, circle }, []);
      const inCircle = typeof whole;
      note('circle', { next, inCircle });
      next();
    }
    { let block = 1; try { sink(block); } finally { sink(2); } }`,
  'main.mjs': `import common, { one, three as renamed } from "./common.cjs";
    import * as wholeCommon from "./common.cjs";
    import { sep, default as pathItself } from 'path';
    ${json ? `import data from "./data.json" ${attribute} { type: 'json' };` : `const data = { constructor: Object };`}
    import seven, * as wholePlain from "./plain.mjs";
    import { circle } from "./circle.mjs";
    ${major >= 14 ? `export * as named from "./plain.mjs";` : ''}
    ${major >= 16 ? `const odd = 3; export { odd as 'an odd name' }; import { 'an odd name' as oddly } from "./main.mjs";` : `const odd = 3, oddly = 3;`}
    export default function main(next) {
      let in1 = one;
      note('main', { next, in1 });
      next();
      sink(() => [common, renamed, wholeCommon, sep, pathItself, data, seven, wholePlain]);
    }
    export const { x, ...rest } = { x: 'x', y: 1, z: 2 };
    let failure, unlinked;
    const pending = import("./waits.mjs");
    label: for (const each of [1, 2]) {
      try { if (each === 1) continue; sink(each); } finally { let last = each; sink(last); }
      try { sink(0); } finally { if (each === 2) break label; }
    }
    class Kept { static made = sink(4); }
    ${waits ? ownCode : ''}
    const go = async () => {
      const within = await import("./plain.mjs");
      failure = await import("./failed.mjs").catch((error) => error);
      unlinked = await import("./unlinked.mjs").catch((error) => error);
      { let inBlock = seven;
        note('main.mjs', {
          common, one, renamed, wholeCommon, sep, pathItself, data, seven, wholePlain, circle, oddly, main, x, rest,
          failure, unlinked, go, ${major >= 16 ? 'odd,' : ''} ${json ? '' : 'data,'}
        }, []);
        note('go', { within, inBlock });
        circle(() => main(() => ofFailed(end)));
        sink(inBlock); }
    };
    go().catch((error) => { console.error(error); process.exit(1); });
    sink(() => [failure, unlinked, go${major >= 16 ? '' : ', oddly'}]);
    sink([pending, Kept]);`,
};
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'v8rs-imports-'));
for (const name of Object.keys(files)) fs.writeFileSync(path.join(directory, name), files[name]);

Object.assign(globalThis, {
  note(place, values, without) {
    notes.set(place, { values, without: without || [] });
  },
  sink: (value) => value,
  end() {
    for (const name of Object.keys(files)) fs.unlinkSync(path.join(directory, name));
    fs.rmdirSync(directory);
    finish([takeNotes, lastStep()]);
  },
});
import(pathToFileURL(path.join(directory, 'main.mjs')).href).catch((error) => {
  console.error(error.stack);
  process.exit(1);
});
