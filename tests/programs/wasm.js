'use strict';
// A stack with WebAssembly in it, and V8's own account of it.
// usage: wasm.js [ROUNDS]
// Modules with names and without call each other, with and without JavaScript between; ROUNDS are run
// through before. `finish` makes its two calls at one and the same call site: the first takes the stack,
// the second ends the process.
const { tell, lastStep, stackFrom } = require('./truth.js');

// Sections and vectors of the binary format.
const number = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...number(n >>> 7)]);
const text = (word) => [...number(word.length), ...Buffer.from(word)];
const vector = (items) => [...number(items.length), ...items.flat()];
const section = (id, bytes) => [id, ...number(bytes.length), ...bytes];
const I32 = 0x7f;
const get = (local) => [0x20, local];
const constant = (n) => [0x41, ...number(n)];
const call = (index) => [0x10, ...number(index)];
const ADD = 0x6a;
const END = 0x0b;
const body = (code, locals = []) => {
  const bytes = [...vector(locals), ...code, END];
  return [...number(bytes.length), ...bytes];
};


// One type: (i32) -> i32. Function 0 is the import.
function moduleOf({ bodies, exported, names, moduleName }) {
  const entries = names.map((name, index) => [...number(index), ...text(name)]);
  const nameSection = [
    ...text('name'),
    ...(moduleName ? section(0, text(moduleName)) : []),
    ...section(1, vector(entries)),
  ];
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector([[0x60, 1, I32, 1, I32]])),
    ...section(2, vector([[...text('js'), ...text('back'), 0, 0]])),
    ...section(3, vector(bodies.map(() => [0]))),
    ...section(7, vector([[...text(exported), 0, bodies.length]])),
    ...section(10, vector(bodies)),
    ...(names.length ? section(0, nameSection) : []),
  ]);
}

const many = (times, code) => Array(times).fill(code).flat();
const bodies = [
  body([...get(0), ...constant(1), ADD, ...call(0)]),
  // Long enough for offsets of two digits.
  body([...get(0), ...many(50, [...constant(3), ADD]), ...call(1)]),
  body([...get(0), ...call(2), ...constant(1), ADD]),
];
const names = ['back', 'leaf', 'middle of it', 'outer'];
const named = moduleOf({ bodies, exported: 'run', names, moduleName: 'counter' });
const plain = moduleOf({ bodies, exported: 'run', names });
const bare = moduleOf({ bodies, exported: 'outside', names: [] });
const instance = (bytes, back) =>
  new WebAssembly.Instance(new WebAssembly.Module(bytes), { js: { back } }).exports;

function finish(steps) {
  for (let i = 0; i < steps.length; i++) {
    steps[i](i);
  }
}
function takeStack() {
  tell({ stack: stackFrom(takeStack).stack });
}
let warm = true;
const inner = instance(bare, function fromBare(n) {
  if (!warm) finish([takeStack, lastStep()]);
  return n;
});
const between = instance(plain, (n) => inner.outside(n));
const outer = instance(named, (n) => between.run(n));
// Straight from one module to the other.
const direct = instance(named, outer.run);
const rounds = Number(process.argv[2] || 0);
for (let i = 0; i < rounds; i++) direct.run(i);
warm = false;
direct.run(5);
