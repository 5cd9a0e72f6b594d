'use strict';
// Every way into WebAssembly and out of it, on one stack, and V8's own account of it: tables, several
// results, start functions, exports as callbacks and by Reflect, imports that are V8's own or bound,
// a memory that grows, exceptions caught, recursion through both.
// usage: wasmcalls.js [ROUNDS]
// `finish` makes its two calls at one and the same call site: the first takes the stack, the second ends
// the process.
const { tell, lastStep, stackFrom } = require('./truth.js');

const number = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...number(n >>> 7)]);
const text = (word) => [...number(Buffer.byteLength(word)), ...Buffer.from(word)];
const vector = (items) => [...number(items.length), ...items.flat()];
const section = (id, bytes) => (bytes ? [id, ...number(bytes.length), ...bytes] : []);
const I32 = 0x7f;
const get = (local) => [0x20, local];
const constant = (n) => [0x41, ...number(n)];
const call = (index) => [0x10, ...number(index)];
const body = (code) => {
  const bytes = [0, ...code, 0x0b];
  return [...number(bytes.length), ...bytes];
};
// types: [parameters, results] in i32s; functions: [type, code, name, export]; imports come first.
function moduleOf({ types, imports = [], functions, table, memory, tags, start, moduleName }) {
  const first = imports.length;
  const named = functions.map(([, , name], i) => [i + first, name]).filter(([, name]) => name !== undefined);
  const names = [
    ...text('name'),
    ...(moduleName === undefined ? [] : section(0, text(moduleName))),
    ...section(1, vector(named.map(([i, name]) => [...number(i), ...text(name)]))),
  ];
  const exported = functions.map(([, , , name], i) => [name, i + first]).filter(([name]) => name !== undefined);
  return new WebAssembly.Module(new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types.map(([a, b]) => [0x60, ...vector(Array(a).fill([I32])), ...vector(Array(b).fill([I32]))]))),
    ...section(2, vector(imports.map(([name, type]) => [...text('js'), ...text(name), 0, type]))),
    ...section(3, vector(functions.map(([type]) => [type]))),
    ...section(4, table && vector([[0x70, 0, table.length]])),
    ...section(5, memory && vector([[0, memory]])),
    ...section(13, tags && vector(tags.map((type) => [0, type]))),
    ...section(7, vector([...exported.map(([name, i]) => [...text(name), 0, ...number(i)]), ...(table ? [[...text('table'), 1, 0]] : [])])),
    ...section(8, start === undefined ? undefined : number(start)),
    ...section(9, table && vector([[0, ...constant(0), 0x0b, ...vector(table.map((i) => [i]))]])),
    ...section(10, vector(functions.map(([, code]) => body(code)))),
    ...(named.length || moduleName !== undefined ? section(0, names) : []),
  ]));
}
const made = (parts, js) => new WebAssembly.Instance(moduleOf(parts), { js }).exports;

function finish(steps) {
  for (let i = 0; i < steps.length; i++) {
    steps[i](i);
  }
}
function takeStack() {
  tell({ name: 'wasmcalls', stack: stackFrom(takeStack).stack });
}

const links = [];
const skipped = [];
function link(name, make) {
  let ran = 0;
  try {
    make(() => { ran++; return 1; });
  } catch (e) {
    skipped.push(`${name}: ${e.message}`);
  }
  if (ran) links.push(make);
}
const I_I = [1, 1];

link('byTable', (next) => made({
  types: [I_I, [0, 0]], imports: [['back', 0]],
  functions: [[0, [...get(0), ...call(0)], 'in table'], [0, [...get(0), ...constant(0), 0x11, 0, 0], 'through table', 'run']],
  table: [1], moduleName: 'tables',
}, { back: next }).run(1));
link('byTableOfJs', (next) => made({
  types: [I_I], imports: [['back', 0]], functions: [[0, [...get(0), ...call(0)]]], table: [1],
}, { back: next }).table.get(0)(5));
link('severalResults', (next) => made({
  types: [I_I, [1, 2]], imports: [['back', 0]],
  functions: [[1, [...get(0), ...call(0), ...constant(7)], 'two'], [0, [...get(0), ...call(1), 0x6a], 'adds', 'run']],
}, { back: next }).run(1));
link('severalResultsOfJs', (next) => made({
  types: [I_I, [1, 2]], imports: [['pair', 1]], functions: [[0, [...get(0), ...call(0), 0x6a], '', 'run']],
}, { pair: function* pair(a) { yield next(a); yield 2; } }).run(1));
link('start', (next) => made({
  types: [[0, 0]], imports: [['back', 0]], functions: [[0, [...call(0)], 'begins']], start: 1, moduleName: 'starter',
}, { back: () => { next(); } }));
link('startNameless', (next) => made({ types: [[0, 0]], imports: [['back', 0]], functions: [[0, [...call(0)]]], start: 1 }, { back: () => { next(); } }));
const plain = (next, name, exported = 'run') => made({
  types: [I_I], imports: [['back', 0]], functions: [[0, [...get(0), ...call(0)], name, exported]],
}, { back: next })[exported];
link('asCallback', (next) => [1].map(plain(next, 'mapped')));
link('asSorter', (next) => made({ types: [[2, 1], [0, 1]], imports: [['back', 1]], functions: [[0, [...call(0)], 'sorter', 'run']] }, { back: next }) && [2, 1].sort(
  made({ types: [[2, 1], [0, 1]], imports: [['back', 1]], functions: [[0, [...call(0)], 'sorter', 'run']] }, { back: next }).run));
link('asGetter', (next) => Object.defineProperty({}, 'x', { get: plain(next, 'got') }).x);
link('byReflect', (next) => Reflect.apply(plain(next, 'reflected'), 1, [2]));
link('byBind', (next) => plain(next, 'bound').bind(null, 5)());
link('byCall', (next) => plain(next, 'called').call({}, '7'));
link('asMethod', (next) => ({ method: plain(next, 'm') }).method());
link('asToJson', (next) => JSON.stringify({ toJSON: plain(next, 'to json') }));
link('asReplacer', (next) => 'a'.replace('a', plain(next, 'replacer')));
link('asValueOf', (next) => +{ valueOf: plain(next, 'value') });
link('asTrap', (next) => new Proxy({}, { get: plain(next, 'trap') }).x);
link('argumentConverted', (next) => plain((x) => x, 'converts')({ valueOf: next }));
link('resultConverted', (next) => plain(() => ({ valueOf: next }), 'result')(1));
link('importBound', (next) => plain(function target(a, b) { return next(a); }.bind({}, 9), 'calls bound')(1));
link('importProxy', (next) => plain(new Proxy(next, {}), 'calls proxy')(1));
link('importBuiltin', (next) => made({ types: [[1, 0]], imports: [['back', 0]], functions: [[0, [...get(0), ...call(0)], 'calls builtin', 'run']] }, { back: Array.prototype.forEach.bind([1], () => { next(); }) }).run(1));
link('importClass', (next) => plain(class { static run(a) { return next(a); } }.run, 'calls static')(1));
link('importArity', (next) => plain(function many(a, b, c, d) { return next(a, b, c, d); }, 'few')(1));
link('importArityLess', (next) => made({ types: [[5, 1]], imports: [['back', 0]], functions: [[0, [0, 1, 2, 3, 4].map(get).flat().concat(call(0)), 'five', 'run']] }, { back: function none() { return next(); } }).run(1, 2, 3));
link('importStrict', (next) => plain(function strict(a) { return [a].map(next)[0]; }, 'strict')(1));
link('nameUnicode', (next) => plain(next, 'größe 名 🙂')(1));
link('nameOdd', (next) => plain(next, 'a.b (c)\n[d]')(1));
link('nameEmpty', (next) => plain(next, '', 'named by export')(1));
link('moduleNameEmpty', (next) => made({ types: [I_I], imports: [['back', 0]], functions: [[0, [...get(0), ...call(0)], 'f', 'run']], moduleName: '' }, { back: next }).run(1));
link('moduleNameOnly', (next) => made({ types: [I_I], imports: [['back', 0]], functions: [[0, [...get(0), ...call(0)], undefined, 'run']], moduleName: 'only' }, { back: next }).run(1));
link('bothEmpty', (next) => made({ types: [I_I], imports: [['back', 0]], functions: [[0, [...get(0), ...call(0)], '', 'run']], moduleName: '' }, { back: next }).run(1));
link('exportOnly', (next) => plain(next, undefined, 'exported é')(1));
link('fromModuleToModule', (next) => plain(plain(plain(next, 'inner'), undefined, 'bare'), 'outer')(1));
link('grows', (next) => made({
  types: [I_I], imports: [['back', 0]], memory: 1,
  functions: [[0, [...constant(1), 0x40, 0, 0x1a, ...get(0), ...call(0)], 'grows', 'run']],
}, { back: next }).run(1));
link('caughtTrap', (next) => {
  const run = made({ types: [I_I], functions: [[0, [0x00], 'traps', 'run']] }, {}).run;
  try { run(1); } catch (e) { if (e instanceof WebAssembly.RuntimeError) plain(next, 'after trap')(1); }
});
link('insideLoop', (next) => made({
  types: [I_I], imports: [['back', 0]],
  functions: [[0, [0x03, 0x40, 0x02, 0x40, ...get(0), ...call(0), 0x1a, 0x0b, 0x0b, ...get(0)], 'loops', 'run']],
}, { back: next }).run(1));
link('insideCatch', (next) => made({
  types: [I_I, [0, 0]], imports: [['back', 0]], tags: [1],
  functions: [[0, [0x06, I32, 0x08, 0, 0x07, 0, ...get(0), ...call(0), 0x0b], 'catches', 'run']],
}, { back: next }).run(1));
link('insideTry', (next) => made({
  types: [I_I, [0, 0]], imports: [['back', 0]], tags: [1],
  functions: [[0, [0x06, I32, ...get(0), ...call(0), 0x07, 0, ...constant(1), 0x0b], 'tries', 'run']],
}, { back: next }).run(1));
link('tailCall', (next) => made({
  types: [I_I], imports: [['back', 0]],
  functions: [[0, [...get(0), ...call(0)], 'last'], [0, [...get(0), 0x12, 1], 'gives way', 'run']],
}, { back: next }).run(1));
link('recursion', (next) => {
  let depth = 0;
  const run = plain((n) => (depth++ < 40 ? run(n) : next(n)), 'recurses');
  run(1);
});
link('recursionInside', (next) => made({
  types: [I_I], imports: [['back', 0]],
  functions: [[0, [...get(0), 0x04, I32, ...get(0), ...constant(1), 0x6b, ...call(1), 0x05, ...get(0), ...call(0), 0x0b], 'down', 'run']],
}, { back: next }).run(100));
link('byPromise', (next) => plain(() => { new Promise(() => next()); return 1; }, 'promised')(1));
if (WebAssembly.promising) {
  // Each runs on a stack of its own.
  for (const name of ['ownStack', 'ownStackInside']) {
    link(name, (next) => WebAssembly.promising(plain(next, name))(1));
  }
}
link('inConstructor', (next) => new (class K { constructor() { this.x = plain(next, 'in constructor')(1); } })());
link('longOffsets', (next) => made({
  types: [I_I], imports: [['back', 0]],
  functions: [[0, [...Array(3000).fill([...get(0), 0x1a]).flat(), ...get(0), ...call(0)], 'far', 'run']],
}, { back: next }).run(1));
link('manyFunctions', (next) => made({
  types: [I_I], imports: [['back', 0]],
  functions: [...Array(300).fill([0, [...get(0)]]), [0, [...get(0), ...call(0)], undefined, 'run']],
}, { back: next }).run(1));

const rounds = Number(process.argv[2] || 0);
if (rounds) {
  for (const make of links) for (let i = 0; i < 3; i++) make(() => 1);
}
process.stderr.write(skipped.join('\n'));
function go(at) {
  if (at === links.length) {
    finish([takeStack, lastStep()]);
    return 1;
  }
  let once = false;
  links[at](() => {
    if (once) return 1;
    once = true;
    return go(at + 1);
  });
  return 1;
}
go(0);
