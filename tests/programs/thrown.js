'use strict';
// Ways to die of what is no usual Error, or of a worker, each told of before it comes.
// usage: thrown.js many|plain|dom|copied|rejected|worker|fatal|every|doms
// Flags that the ways need: --abort-on-uncaught-exception but for fatal, which takes
// --allow-natives-syntax (and --unhandled-rejections=strict for rejected before Node 15).
const { inspect } = require('util');
const { Worker, MessageChannel, isMainThread, workerData } = require('worker_threads');
const v8 = require('v8');
const { tell } = require('./truth.js');

// As node does of what nothing caught, but in one line: only the spaces differ.
const shown = (value) => inspect(value, { depth: 5, customInspect: false }).replace(/\s+/g, ' ');

class Order {
  constructor() {
    this.id = 7;
    this.items = [{ sku: 'a' }, 'b', ,];
    this['odd-key'] = "it's \u001b[31mred";
  }
  get total() {
    return 1;
  }
}
const values = [
  { code: 1, message: 'x', nested: { deep: { deeper: 1 } }, none: null, nothing: undefined },
  new Order(),
  Object.assign(Object.create(null), { a: -0.5, b: 10n, c: Symbol('why') }),
  [1, 'two', [3, [4]], , { five: 5 }],
  'only "a" string',
  function named() {},
  class Sub extends Order {},
  { get got() {}, set put(to) {}, date: new Date(0), match: /x\/y/g, empty: {}, list: [] },
];
const more = [
  Symbol('reason'),
  42n,
  new Date(5),
  Object(7),
  Promise.resolve(5),
  new WeakMap(),
  Number(process.versions.node.split('.')[0]) > 12 ? new Map([['k', new Set([1])]]) : null,
];

const ways = {
  many() {
    const inner = new TypeError('inner');
    inner.errors = more;
    const outer = new Error('outer');
    outer.code = 'E_OUTER';
    outer.where = { line: 3 };
    outer.errors = values;
    outer.cause = inner;
    inner.cause = outer;
    const { code, where } = outer;
    tell({ errors: [values, more].map((list) => list.map(shown)), given: shown({ code, where }) });
    throw outer;
  },
  plain() {
    const thrown = { code: 1, message: 'x', more: [{}] };
    tell({ text: shown(thrown) });
    throw thrown;
  },
  dom() {
    // Before Node 17 the class is not to be had, but its objects are.
    let thrown;
    try {
      new MessageChannel().port1.postMessage(() => {});
    } catch (error) {
      thrown = error;
    }
    tell({ text: inspect(thrown).split('\n')[0], stack: thrown.stack });
    throw thrown;
  },
  // Values of every kind, as node says them itself: the other half of what died.js does.
  every() {
    const thrown = require('./kinds.js').kinds;
    tell({ text: shown(thrown) });
    throw thrown;
  },
  doms() {
    const doms = require('./kinds.js').doms();
    tell(doms.map((d) => [d.name, d.message, d.code, shown(d)]));
    globalThis.doms = doms;
    process.abort();
  },
  // What a worker died of reaches its parent as a copy: an object that is no Error by V8's account.
  copied() {
    const worker = new Worker(__filename, { workerData: 'copied' });
    worker.on('error', (error) => {
      tell({ text: String(error), stack: error.stack });
      throw error;
    });
  },
  rejected() {
    const reason = { status: 404, headers: { a: 1 } };
    tell({ text: shown(reason) });
    Promise.reject(reason);
  },
  worker() {
    const resourceLimits = { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 2 };
    const worker = new Worker(__filename, { workerData: 'worker', resourceLimits });
    let limits;
    worker.on('online', () => (limits = worker.resourceLimits));
    worker.on('error', (error) => {
      tell({ message: error.message, limits });
      throw error;
    });
  },
  fatal() {
    new Worker('setInterval(() => {}, 1000)', { eval: true }).on('online', () => {
      const resourceLimits = { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 2 };
      new Worker(__filename, { workerData: 'fatal', resourceLimits });
    });
  },
};
const inWorkers = {
  copied: () => null.property,
  worker() {
    const kept = [];
    for (;;) kept.push({ a: kept.length, b: [kept.length] });
  },
  fatal() {
    const { heap_size_limit } = v8.getHeapStatistics();
    tell({ heap_size_limit });
    new Function('%FatalProcessOutOfMemoryInvalidArrayLength()')();
  },
};
if (isMainThread) ways[process.argv[2]]();
else inWorkers[workerData]();
