'use strict';
// A program that leaks: known numbers of known classes, closures, collections, buffers and strings.
// usage: heap.js [N=20000] [--snapshot] [--wait]
// --snapshot writes heap.heapsnapshot (V8's own account of this heap) just before the end; by then
// compiling in the background is over, and the scripts on the stack know their lines, as the
// stack that a dying Node prints makes them do.
const v8 = require('v8');
const { tell, lastStep } = require('./truth.js');

const n = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) || 20000);
const part = (fraction) => Math.max(1, Math.floor(n / fraction));

class Visit {
  constructor(id) {
    this.visit_id = id;
    this.headers = { host: `host-${id % 7}.example`, agent: 'agent' };
  }
}

class PageVisit extends Visit {
  constructor(id) {
    super(id);
    this.page = `/page/${id}`;
    this.seconds = id + 0.25;
  }
}

class VisitMap extends Map {}
class VisitSet extends Set {}
class VisitList extends Array {}
class VisitError extends Error {
  constructor(id) {
    super(`visit ${id}`);
    this.visit = id;
  }
}
class VisitPromise extends Promise {}
class VisitBytes extends Uint8Array {}

function Legacy(id) {
  this.id = id;
  this.next = null;
}
Legacy.prototype.touch = function touch() {
  return this.id;
};

// A class that nothing was ever made of, and one whose instances all die.
class Never {}
class Gone {
  constructor(id) {
    this.id = id;
  }
}

const held = {
  visits: [],
  pages: [],
  maps: [],
  sets: [],
  lists: [],
  errors: [],
  promises: [],
  bytes: [],
  legacy: null,
  closures: [],
  timesFive: [],
  plain: [],
  dictionary: {},
  dates: [],
  patterns: [],
  buffers: [],
  strings: [],
  weak: new WeakMap(),
  symbols: [],
  bigs: [],
  doubles: [],
  sparse: [],
};

function makeClosure(id) {
  const captured = { id, note: 'captured' };
  return function readCaptured() {
    return captured;
  };
}

for (let i = 0; i < n; i++) held.visits.push(new Visit(i));
for (let i = 0; i < part(2); i++) held.pages.push(new PageVisit(i));
for (let i = 0; i < part(10); i++) {
  held.maps.push(new VisitMap([[`key-${i}`, held.visits[i]], [i, held.pages[i]]]));
  held.sets.push(new VisitSet([i, `member-${i}`, held.visits[i]]));
  held.lists.push(VisitList.of(i, held.visits[i], i + 0.5));
  held.errors.push(new VisitError(i));
  held.promises.push(VisitPromise.resolve(held.visits[i]));
  held.bytes.push(new VisitBytes([i & 255, 1, 2, 3]));
  const link = new Legacy(i);
  link.next = held.legacy;
  held.legacy = link;
  held.closures.push(makeClosure(i));
  held.timesFive.push((x) => x * 5 + i);
  held.plain.push({ kind: 'plain', index: i, visit: held.visits[i] });
  held.dictionary[`entry ${i}`] = held.visits[i];
  held.dates.push(new Date(86400000 * i));
  held.patterns.push(new RegExp(`pattern-${i}`, 'gi'));
  held.weak.set(held.visits[i], held.plain[i]);
  held.symbols.push(Symbol(`symbol ${i}`));
  held.bigs.push(BigInt(i) * 10000000000000000000000n);
  held.doubles.push(i + 0.125);
  if (i % 100 === 0) held.sparse[i * 1000] = held.visits[i];
}
for (let i = 0; i < part(100); i++) {
  held.buffers.push(Buffer.alloc(1024, i & 255));
  held.strings.push(`long string ${i} `.repeat(64).replace(/string/g, 'text'));
}
(function waste() {
  let last = null;
  for (let i = 0; i < part(10); i++) last = new Gone(i);
  return last.id;
})();

globalThis.held = held;
globalThis.Never = Never;
if (typeof gc === 'function') gc();

tell({
  program: 'heap',
  node: process.version,
  v8: process.versions.v8,
  n,
  // Instances by constructor name, as this program made and holds them.
  counts: {
    Visit: n,
    PageVisit: part(2),
    VisitMap: part(10),
    VisitSet: part(10),
    VisitList: part(10),
    VisitError: part(10),
    VisitPromise: part(10),
    VisitBytes: part(10),
    Legacy: part(10),
    Never: 0,
  },
  held: Object.keys(held).reduce((all, key) => {
    const value = held[key];
    all[key] = Array.isArray(value) ? value.length : Object.keys(value).length;
    return all;
  }, {}),
  memory: process.memoryUsage(),
  spaces: v8.getHeapSpaceStatistics(),
  heap: v8.getHeapStatistics(),
});

const end = lastStep();
if (process.argv.includes('--snapshot')) {
  setTimeout(function last() {
    void new Error('here').stack;
    v8.writeHeapSnapshot('heap.heapsnapshot');
    end();
  }, 500);
} else {
  end();
}
