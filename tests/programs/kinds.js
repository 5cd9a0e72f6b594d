'use strict';
// Values of every kind that util.inspect tells apart.

class Order {
  constructor() {
    this.id = 7;
  }
  get total() {
    return 1;
  }
}
class FormError extends TypeError {}
class Table extends Map {}
class Rows extends Array {}
class Day extends Date {}
class Count extends Number {}

const withPrototype = (value, prototype) => Object.setPrototypeOf(value, prototype);
const withStack = (error, stack) => Object.assign(error, { stack });
const times = (count, make) => Array.from({ length: count }, (_, i) => make(i));
function named() {}
named.property = 1;
function passed() {
  return arguments;
}

const circular = { name: 'it' };
circular.self = circular;
circular.list = [circular, { circular }];
const twoRings = { one: {}, two: new Map() };
twoRings.one.back = twoRings.one;
twoRings.two.set('back', twoRings.two);
const caused = new Error('outer');
Object.defineProperty(caused, 'cause', { value: new RangeError('inner'), configurable: true });
caused.code = 'E_OUTER';

const kinds = {
  typed: [new Uint8Array([1, 2, 3]), new Int16Array([-1]), new Float64Array([1.5, -0, NaN]), new BigInt64Array([1n, -1n])],
  clamped: new Uint8ClampedArray([255]),
  emptyTyped: new Uint32Array(0),
  buffers: [new ArrayBuffer(3), new Uint8Array([1, 255, 16]).buffer, new SharedArrayBuffer(2)],
  view: new DataView(new ArrayBuffer(2), 1),
  buffer: Buffer.from('hello'),
  emptyBuffer: Buffer.alloc(0),
  map: new Map([['key', new Set([1, { x: { y: { z: 1 } } }])], [{ one: 1 }, new Map()]]),
  table: new Table([[1, 2]]),
  weak: [new WeakSet(), new WeakMap()],
  proxies: [new Proxy({ p: 1 }, {}), new Proxy(named, {}), new Proxy([1, 2], {}), new Proxy(new Order(), {})],
  boxed: [Object(1), Object('text'), Object(true), Object(1n), Object(Symbol('s')), Object(-0), new Count(3)],
  boxedMore: Object.assign(Object('ab'), { more: 1 }),
  dates: [new Date(0), new Date(NaN), Object.assign(new Date(0), { more: 1 }), new Day(5)],
  patterns: [/a\/b/gi, Object.assign(/x/, { more: 1 }), new RegExp('')],
  noPrototype: [
    withPrototype(new Order(), null),
    Object.create(null),
    Object.assign(Object.create(null), { a: 1 }),
    withPrototype([1], null),
    withPrototype(new Map([[1, 2]]), null),
    withPrototype(new Set([1]), null),
    withPrototype(new Date(0), null),
    withPrototype(/x/, null),
    withPrototype(new Uint16Array(1), null),
    withPrototype(function f() {}, null),
    withPrototype(class A {}, null),
    withPrototype(Object(1), null),
    Object.create(Object.create(null)),
    Object.create({}),
  ],
  circular,
  twoRings,
  accessors: { get a() {}, set b(v) {}, get c() {}, set c(v) {} },
  keys: { [Symbol('s')]: 1, [Symbol()]: 2, [Symbol.iterator]: 3, 'a-b': 1, 2: 1, "it's": 1, $d: 1, _e: 1, 'new\nline': 1, '': 1 },
  functions: [
    named,
    class A {},
    class B extends Order {},
    class extends Order {},
    async () => {},
    function* () {},
    async function* each() {},
    () => {},
    Math.max,
    named.bind(null),
    class C {
      static made() {}
    },
    Object.assign(class D {}, { more: 1 }),
  ],
  errors: [
    withStack(new Error('no calls'), 'Error: no calls'),
    withStack(new FormError('a form'), 'TypeError: a form\n    at fill (form.js:1:2)\n    at send (form.js:3:4)'),
    withStack(new FormError('a form'), 'TypeError: a form'),
  ],
  caused,
  own: new FormError('its own stack'),
  generators: [(function* () {})(), (async function* () {})()],
  passed: passed(1, { a: 1 }),
  iterators: [[1][Symbol.iterator](), new Map([[1, 2]]).entries(), new Map([[1, 2]]).keys(), new Set(['a']).values(), new Set(['a']).entries()],
  holes: [[1, , 2, , ,], new Array(3), [, 1]],
  extra: Object.assign([1], { more: 1, [Symbol('y')]: 2 }),
  rows: Rows.from([1, 2]),
  deep: { a: { b: { c: { d: { e: 1 } } } }, list: [[[[[[1]]]]]], in: { in: { in: { order: { order: new Order(), none: {}, list: [], map: new Map([[1, 1]]) } } } } },
  long: times(103, (i) => i),
  longSet: new Set(times(101, (i) => i)),
  longTyped: new Uint16Array(102),
  longBuffer: Buffer.alloc(53, 7),
  longBytes: new ArrayBuffer(101),
  manyHoles: times(120, (i) => i).concat(new Array(5)),
  many: Object.fromEntries(times(30, (i) => [`key${i}`, i])),
  promises: [Promise.resolve(1), Promise.resolve({ a: { b: 1 } }), new Promise(() => {})],
  tag: { [Symbol.toStringTag]: 'Tag' },
  numbers: [-0, NaN, Infinity, 1e21, 1e-7, 0.1, 123456789012345680000, -1e-300],
  own2: Object.create(Order.prototype),
  builtins: [Math, JSON],
  texts: ["it's", 'it\'s "so"', '`\'"', 'a\\b', 'tab\t\n\b\f\r\v\u001b', '\u{1f600}é', ''],
  symbols: [Symbol('why'), Symbol(), Symbol.for('x')],
  none: [undefined, null, true],
};
// Cut at ten thousand characters since Node 16.
kinds.longText = 'x'.repeat(10002);

// DOMExceptions: before Node 17 the class is not to be had, but its objects are.
function doms() {
  let cloned;
  try {
    new (require('worker_threads').MessageChannel)().port1.postMessage(() => {});
  } catch (error) {
    cloned = error;
  }
  const DOM = cloned.constructor;
  return [
    cloned,
    Object.assign(new DOM('a message', 'AbortError'), { more: 1 }),
    new DOM('', 'TimeoutError'),
    new DOM('by its class'),
    new DOM('any name', 'OtherName'),
    new DOM('disused', 'ValidationError'),
  ];
}
module.exports = { kinds, doms };
