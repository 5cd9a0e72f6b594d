// Calls that frames.js does not make, all on one stack, and V8's own account of it.
// usage: calls.js [plain|hot|turbofan|maglev] [--wait]
//   plain     by whatever tier the flags leave (the default)
//   hot       each link ran so often before that V8 may have optimized it
//   turbofan, maglev  each link optimized (needs --allow-natives-syntax)
// `finish` makes its two calls at one and the same call site: the first takes the stack, the second ends
// the process.
const util = require('util');
const vm = require('vm');
const events = require('events');
const stream = require('stream');
const { tell, lastStep, stackFrom } = require('./truth.js');

const variant = process.argv.slice(2).find((word) => /^[a-z]+$/.test(word)) || 'plain';

function finish(steps) {
  for (let i = 0; i < steps.length; i++) {
    steps[i](i);
  }
}
function takeStack() {
  tell({ program: 'calls', variant, node: process.version, stack: stackFrom(takeStack).stack });
}

// By what is missing on older releases, a link is left out.
const links = {};
function link(name, make) {
  links[name] = make;
}

// Names.
const named = (value, f) => Object.defineProperty(f, 'name', { value, configurable: true });
link('nameDefined', (next) => named('defined name', function before() { next(); })());
link('nameOfUnicode', (next) => named('größe 名 🙂', () => next())());
link('nameEscapes', (next) => named('a\nb\u0000\u001b[31m', () => next())());
link('nameLong', (next) => named('n'.repeat(6000), () => next())());
link('nameEmpty', (next) => named('', function hidden() { next(); })());
link('nameNumber', (next) => named(5, function number() { next(); })());
link('nameGetter', (next) =>
  Object.defineProperty(function real() { next(); }, 'name', { get: () => 'by getter' })());
link('nameDeleted', (next) => {
  const f = function gone() { next(); };
  delete f.name;
  f();
});
link('nameStatic', (next) => {
  class WithName { static name() { next(); } }
  WithName.name();
});
link('nameOfClass', (next) => {
  class Hidden { static get name() { return 'x'; } constructor() { next(); } }
  new Hidden();
});
link('nameInherited', (next) => {
  const f = function gone() { next(); };
  delete f.name;
  Object.setPrototypeOf(f, { name: 'by prototype' });
  f();
});
link('displayName', (next) => {
  const f = () => next();
  f.displayName = 'shown name';
  f();
});
link('computedNames', (next) => {
  const o = {
    ['a b'](n) { this['with.dot'](n); },
    ['with.dot'](n) { this['get x'](n); },
    ['get x'](n) { this['']('x', n); },
    [''](x, n) { this[-1](n); },
    [-1](n) { this[1.5](n); },
    [1.5](n) { this[4294967295](n); },
    [4294967295](n) { this[7](n); },
    [7](n) { this['ünï'](n); },
    ['ünï'](n) { this.\u0061bc(n); },
    \u0061bc(n) { this['__proto__x'](n); },
    ['__proto__x'](n) { n(); },
  };
  o['a b'](next);
});
link('symbolNames', (next) => {
  const none = Symbol();
  const empty = Symbol('');
  const o = {
    [none](n) { this[empty](n); },
    [empty](n) { this[Symbol.for('é')](n); },
    [Symbol.for('é')](n) { n(); },
  };
  o[none](next);
});
link('anonymous', (next) => [function () { (() => ((() => (function () { (() => next())(); })())()))(); }][0]());
link('conditionalName', (next) => {
  const f = true ? () => next() : null;
  const { g = () => f() } = {};
  const [h = function () { g(); }] = [];
  let i;
  i = class { static run() { h(); } };
  let j = null;
  j = j || (() => i.run());
  (j || f)();
});
link('assignedDeep', (next) => {
  const a = { b: { c: {} } };
  a.b.c.d = function () { next(); };
  a.b['e f'] = function () { a.b.c.d(); };
  a.b[0] = () => a.b['e f']();
  a.b[0]();
});

// Methods and receivers.
class Base {
  method(n) { n(); }
  Base(n) { n(); }
  Basement(n) { n(); }
  static make(n) { n(); }
  static Base(n) { n(); }
  get read() { return this.n(); }
  set write(n) { n(); }
  static get sread() { return this.n(); }
}
class Sub extends Base {
  method(n) { super.method(n); }
  get read() { return super.read; }
  static make(n) { super.make(n); }
}
link('methods', (next) => new Sub().method(() => new Sub().Base(() => new Sub().Basement(() => Sub.make(() => Sub.Base(next))))));
link('accessors', (next) => {
  const s = new Sub();
  s.n = () => { s.write = next; };
  s.read;
});
link('staticAccessors', (next) => { Sub.n = next; Sub.sread; });
link('alias', (next) => {
  const o = { a(n) { n(); } };
  o.b = o.a;
  o.b(next);
});
link('aliasHidden', (next) => {
  const o = {};
  Object.defineProperty(o, 'hiddenOne', { value: function one(n) { n(); } });
  o.hiddenOne(next);
});
link('aliasOfSub', (next) => {
  class Other extends Base {}
  Other.prototype.alias = Base.prototype.method;
  new Other().alias(next);
});
link('aliasShadowed', (next) => {
  const o = Object.create({ run(n) { n(); } });
  o.run = function run(n) { Object.getPrototypeOf(this).run.call(this, n); };
  o.run(next);
});
link('borrowed', (next) => Base.prototype.method.call([1], () => Base.prototype.method.call({}, () =>
  Base.prototype.method.call(new Map(), () => Base.prototype.method.call(/x/, next)))));
link('receivers', (next) => {
  const receivers = [
    5, 'text', true, Symbol('s'), 10n, 1.5, null, undefined, [], {}, Object.create(null), new Date(0), /r/, new Error('e'),
    Promise.resolve(1), (function* () {})(), function f() {}, async () => {}, class K {}, new (class {})(), new Uint8Array(1),
    new ArrayBuffer(1), new Proxy({}, {}), new Proxy(function p() {}, {}), (function () { return arguments; })(), new WeakMap(), Math, JSON,
    globalThis, new Boolean(false), new String('s'), Object(Symbol('w')), function bound() {}.bind(), Reflect, new (class extends Array {})(),
    new (class Named extends Map {})(), Object.create(Base.prototype), Object.create(Object.create(null)), [][Symbol.iterator](),
    new Map().entries(), new DataView(new ArrayBuffer(8)), process, process.env, Atomics, Intl, new Intl.NumberFormat(),
    { constructor: 5 }, { constructor: { name: 'fake' } }, { constructor: Base }, { [Symbol.toStringTag]: 'Tagged' },
    Object.setPrototypeOf({}, null), Object.setPrototypeOf(() => {}, null), new (class { get [Symbol.toStringTag]() { return 'ByGetter'; } })(),
    require('vm').createContext({}), require('fs'), module, new events(), Buffer.from('b'), new (function Old() {})(),
    Reflect.construct(Base, [], Sub), new (named('renamed class', class Orig {}))(), new (class { static get name() { return 'got'; } })(),
    new Set(), new WeakSet(), new SharedArrayBuffer(8), new Proxy([], {}), Object.freeze({ a: 1 }), Object.seal([1]), new URL('file:///x'),
    new Proxy(class P {}, {}), (async function* () {})(), Base, Sub, Array, Function, Function.prototype, Object.prototype, Base.prototype,
    new (named('', class Emptied {}))(), new (named(5, class Five {}))(), new (class { constructor() { this.constructor = 1; } })(),
  ];
  const sloppy = function sloppy(at) { step(at); };
  const strict = function strict(at) { 'use strict'; step(at); };
  const unnamed = (() => function (at) { 'use strict'; step(at); })();
  const step = (at) => {
    if (at >= receivers.length * 3) next();
    else [sloppy, strict, unnamed][at % 3].call(receivers[Math.floor(at / 3)], at + 1);
  };
  step(0);
});
link('prototypesOfPrimitives', (next) => {
  for (const p of [Number, String, Boolean, Symbol, BigInt, Function, Array]) {
    Object.defineProperty(p.prototype, 'extra', { configurable: true, enumerable: true, value: function extra(n) { 'use strict'; n(); } });
    Object.defineProperty(p.prototype, 'extraGet', { configurable: true, get: function () { 'use strict'; return this.constructor.n(); } });
  }
  Number.n = next;
  Boolean.n = () => (5).extraGet;
  String.n = () => true.extraGet;
  try {
    (5).extra(() => 'x'.extra(() => true.extra(() => Symbol.iterator.extra(() => 5n.extra(() => (() => {}).extra(() => [].extra(() => 'y'.extraGet)))))));
  } finally {
    for (const p of [Number, String, Boolean, Symbol, BigInt, Function, Array]) { delete p.prototype.extra; delete p.prototype.extraGet; }
  }
});
link('elements', (next) => {
  const a = [function (n) { this[1](n); }, (n) => a[2](n), function named2(n) { this[100000](n); }];
  a[100000] = function far(n) { n(); };
  a[0](next);
});
link('defineAccessors', (next) => {
  const o = {};
  o.__defineGetter__('early', function () { this.late = 1; });
  o.__defineSetter__('late', () => o[sym]);
  const sym = Symbol('sy');
  Object.defineProperty(o, sym, { get() { return this['k e y']; } });
  Object.defineProperty(o, 'k e y', { get: function key() { next(); }, enumerable: true });
  o.early;
});
// Each of them runs its argument in its own way; the next one is run in it.
function nest(uses, next) {
  const step = (at) => {
    if (at === uses.length) {
      next();
      return;
    }
    let done = false;
    const once = function () {
      if (!done) {
        done = true;
        step(at + 1);
      }
    };
    try {
      uses[at](once);
    } catch (error) {
      if (!done) throw error;
    }
    // What this release does not do.
    once();
  };
  step(0);
}
const got = (n) => ({ get g() { return n(); } });
const list = (n) => Object.defineProperty([1, 2], 0, { get() { return n(); } });
link('gettersByBuiltins', (next) => nest([
  (n) => Object.assign({}, got(n)), (n) => ({ ...got(n) }), (n) => { const { g } = got(n); return g; }, (n) => { const { ...r } = got(n); return r; },
  (n) => JSON.stringify(got(n)), (n) => Object.entries(got(n)), (n) => Object.values(got(n)), (n) => Reflect.get(got(n), 'g'), (n) => Array.from([got(n)], ({ g }) => g),
  (n) => list(n).map((x) => x), (n) => list(n).reverse(), (n) => list(n).includes(9), (n) => list(n).join(), (n) => list(n).indexOf(9), (n) => list(n).slice(), (n) => [].concat(list(n)),
  (n) => [...list(n)], (n) => Math.max.apply(null, list(n)), (n) => list(n).sort(), (n) => list(n).shift(), (n) => Reflect.ownKeys(got(n)) && got(n).g, (n) => { with_(got(n)); }, (n) => Object.defineProperty({}, 'x', got(n)),
  (n) => Object.defineProperty({}, 'x', { get get() { n(); } }), (n) => Object.create(got(n)).g, (n) => Reflect.set({ set g(v) { n(); } }, 'g', 1), (n) => Object.assign({ set g(v) { n(); } }, { g: 1 }),
  (n) => { [{ set x(v) { n(); } }.x] = [1]; }, (n) => { ({ a: { set x(v) { n(); } }.x } = { a: 1 }); }, (n) => { for ({ set x(v) { n(); } }.x of [1]); }, (n) => { ({ set x(v) { n(); } }).x++; },
], next));
const with_ = new Function('p', 'with (p) { return g; }');
link('superCalls', (next) => {
  const p = { run(n) { n(); }, get got() { return next(); } };
  const o = { __proto__: p, run(n) { super.run(n); }, get got() { return super.got; }, arrow(n) { (() => super.run(n))(); } };
  o.run(() => o.arrow(() => o.got));
});
link('privates', (next) => new Function('next', `
  class P {
    #m(n) { n(); }
    static #sm(n) { n(); }
    get #g() { return this.n(); }
    set #s(n) { n(); }
    #f = (n) => n();
    static async #a(n) { n(); }
    *#gen(n) { n(); yield 1; }
    go(next) {
      this.n = () => { this.#s = () => this.#f(() => P.#a(() => this.#gen(next).next())); };
      this.#m(() => P.#sm(() => this.#g));
    }
  }
  new P().go(next);`)(next));
link('fields', (next) => {
  let depth = next;
  class F { plain = depth(); }
  class G { arrow = (n) => n(); ['comp' + 1] = this.arrow(() => new F()); }
  class H extends G { static s = 5; own = depth(); }
  class I { static s = new G(); }
  void I;
  depth = () => {};
  void H;
});
link('staticBlock', (next) => new Function('next', `
  class S { static a = (() => next())(); static { this.b = 1; } }
  `)(() => new Function('next', 'class T { static x; static { const go = () => next(); go(); } static { } }')(next)));
link('constructors', (next) => {
  class A { constructor(n) { if (n) n(new.target); } }
  class B extends A {}
  class C extends B { constructor(...a) { super(...a); } }
  class D extends C { constructor(n) { const s = () => super(n); s(); } }
  function Old(n) { if (!new.target) return new Old(n); n(); }
  const Anon = (() => class { constructor(n) { n(); } })();
  const o = { Inner: class { constructor(n) { n(); } }, fn: function (n) { n(); } };
  new D(() => Old(() => new Anon(() => new o.Inner(() => new o.fn(() => Reflect.construct(A, [() => Reflect.construct(Old, [next], B)], C))))));
});
link('constructorsOfBuiltins', (next) => {
  class MyArray extends Array { constructor(...a) { super(...a); if (MyArray.n) { const n = MyArray.n; MyArray.n = null; n(); } } }
  class MyPromise extends Promise { constructor(f) { super((a, b) => f(a, b)); } }
  class MyError extends Error { constructor(m) { super(m); } }
  class MyMap extends Map { set(k, v) { v(); return super.set(k, v); } }
  class MyFn extends Function { constructor(...a) { super(...a); next(); } }
  const a = new MyArray(1, 2);
  MyArray.n = () => new MyPromise(() => new MyError({ toString() { new MyMap([['k', () => new MyFn('return 1')]]); return ''; } }));
  a.map((x) => x);
});
link('speciesAndOf', (next) => {
  function Maker() { if (Maker.n) { const n = Maker.n; Maker.n = null; n(); } }
  Maker.n = () => { Maker.n = next; Array.of.call(Maker, 1); };
  Array.from.call(Maker, []);
});

// Arguments.
link('arity', (next) => {
  const zero = function () { arguments[0](); };
  const five = (a, b, c, d, e) => zero(a, b, c, d, e);
  function two(a, b) { five.apply(null, arguments); }
  function many(...a) { two(...a); }
  const bound = many.bind(null, next).bind(1, 2).bind(3, 4);
  bound(...new Array(200).fill(7));
});
link('defaultsCall', (next) => {
  const f = (a, b = next()) => b;
  const g = ({ x = f(1) } = {}) => x;
  function h([y = g()] = []) { return y; }
  function i(a, b = (() => h())(), c = function () { return b; }) { return c; }
  i();
});
link('optionalChaining', (next) => new Function('next', `
  const o = { a: { b(n) { n?.(); } }, get g() { return () => this?.a?.b(next); } };
  o?.a?.['b'](() => o.g?.());
`)(next));
link('callsOfCalls', (next) => {
  const make = (a) => (b) => (c) => c(a, b);
  make(1)(2)((a, b) => (0, next)(a, b));
});
link('applyOfCall', (next) => Function.prototype.call.call(Function.prototype.apply, function target() { next(); }, 'self', [1, 2]));
link('reflectApplyBound', (next) => Reflect.apply(function deep() { next(); }.bind('b'), null, []));

// Callbacks of builtins.
const viaArray = {
  filter: (a, f) => a.filter(f), flatMap: (a, f) => a.flatMap(f), some: (a, f) => a.some(f), every: (a, f) => a.every(f),
  find: (a, f) => a.find(f), findIndex: (a, f) => a.findIndex(f), reduceRight: (a, f) => a.reduceRight(f, 0), map: (a, f) => a.map(f),
  forEach: (a, f) => a.forEach(f), sort: (a, f) => a.concat(a).sort(f), from: (a, f) => Array.from(a, f), fromIter: (a, f) => Array.from(new Set(a), f),
  typedMap: (a, f) => Int32Array.from(a).map(f), typedFrom: (a, f) => Int32Array.from(a, f), typedSort: (a, f) => Int32Array.of(2, 1).sort(f),
  typedEvery: (a, f) => Int32Array.of(2, 1).every(f), typedForEach: (a, f) => Float32Array.of(2, 1).forEach(f), typedReduce: (a, f) => Uint8Array.of(2, 1).reduce(f),
  replace: (a, f) => 'a'.replace('a', f), replaceRegex: (a, f) => 'aba'.replace(/a/g, f), replaceGroups: (a, f) => 'ab'.replace(/(?<x>a)(b)/, f),
  replaceSticky: (a, f) => 'ab'.replace(/a/y, f), holes: (a, f) => [, 1].map(f), doubles: (a, f) => [1.5].map(f), dictionary: (a, f) => Object.assign([], { 100000: 1 }).forEach(f),
  arrayLike: (a, f) => Array.prototype.map.call({ length: 1, 0: 'x' }, f), stringLike: (a, f) => Array.prototype.forEach.call('s', f),
  mapForEach: (a, f) => new Map([[1, 2]]).forEach(f), setForEach: (a, f) => new Set(a).forEach(f),
  findLast: (a, f) => a.findLast && a.findLast(f), findLastIndex: (a, f) => a.findLastIndex && a.findLastIndex(f), toSorted: (a, f) => a.toSorted && [2, 1].toSorted(f),
  groupBy: (a, f) => Object.groupBy && Object.groupBy(a, f), mapGroupBy: (a, f) => Map.groupBy && Map.groupBy(a, f),
  replaceAll: (a, f) => 'a'.replaceAll && 'aa'.replaceAll('a', f), itMap: (a, f) => a.values().map && a.values().map(f).next(),
  itReduce: (a, f) => a.values().reduce && a.values().reduce(f, 1), itFlat: (a, f) => a.values().flatMap && [...a.values().flatMap((x) => { f(x); return []; })],
  itEach: (a, f) => a.values().forEach && a.values().forEach(f), reviver: (a, f) => JSON.parse('{"a":[1]}', f), replacer: (a, f) => JSON.stringify({ a: 1 }, f),
  fromAsync: (a, f) => Array.fromAsync && Array.fromAsync({ length: 0, get 0() { f(); } }), promise: (a, f) => new Promise(f), timsort: (a, f) => Array.from({ length: 64 }, (_, i) => i * 7 % 64).sort(f),
  getOrInsert: (a, f) => new Map().getOrInsertComputed && new Map().getOrInsertComputed(1, f), promiseTry: (a, f) => Promise.try && Promise.try(f),
};
for (const name of Object.keys(viaArray)) {
  link(`array_${name}`, (next) => {
    let done = false;
    viaArray[name]([3], named(name, function () { if (!done) { done = true; next(); } return 0; }));
    if (!done) next();
  });
}
link('sliceSpecies', (next) => {
  const a = [1, 2];
  a.constructor = { get [Symbol.species]() { return function S() { next(); return []; }; } };
  a.slice(1);
});
link('proxyTraps', (next) => {
  const traps = {};
  let n;
  for (const trap of Object.getOwnPropertyNames(Reflect)) {
    traps[trap] = function (...a) { const m = n; n = null; if (m) m(); return Reflect[trap](...a); };
  }
  const p = new Proxy(function t() {}, traps);
  const steps = [
    () => p.x, () => { p.x = 1; }, () => 'x' in p, () => delete p.x, () => Object.keys(p), () => Object.getOwnPropertyDescriptor(p, 'x'),
    () => Object.defineProperty(p, 'y', { value: 1, configurable: true }), () => Object.getPrototypeOf(p), () => Object.setPrototypeOf(p, Function.prototype),
    () => Object.isExtensible(p), () => Reflect.preventExtensions(p), () => p(), () => new p(), () => p.call(1), () => { for (const k in p) return k; },
    () => p instanceof Object, () => ({ ...p }), () => Object.assign({}, p), () => Reflect.ownKeys(p), () => Object.prototype.hasOwnProperty.call(p, 'x'),
    () => { with_(p); }, () => Object.prototype.toString.call(p), () => p.z(), () => Object.create(p).q, () => { Object.create(p).r = 1; }, () => Array.isArray(p), () => Object.entries(p),
  ];
  const with_ = new Function('p', 'with (p) { return zzz; }');
  const go = (i) => { if (i === steps.length) return next(); n = () => go(i + 1); try { steps[i](); } catch (e) { if (n) throw e; } if (n) { const m = n; n = null; m(); } };
  go(0);
});
link('proxyOfProxy', (next) => new Proxy(new Proxy({}, { get(t, k, r) { next(); } }), {}).x);
link('proxyTrapInherited', (next) => {
  class Handler { get(t, k) { next(); return 1; } }
  new Proxy({}, new Handler()).x;
});
link('conversions', (next) => {
  const v = (n) => ({ valueOf() { n(); return 1; } });
  const s = (n) => ({ toString() { n(); return 'x'; } });
  const p = (n) => ({ [Symbol.toPrimitive]() { n(); return 1; } });
  const ops = [
    (n) => v(n) + 1, (n) => 1 - v(n), (n) => v(n) * 2, (n) => v(n) < 1, (n) => v(n) == 1, (n) => -v(n), (n) => ~v(n), (n) => { let x = v(n); x++; }, (n) => { let x = p(n); x += 1; },
    (n) => `${s(n)}`, (n) => s(n) + '', (n) => String(s(n)), (n) => Number(v(n)), (n) => BigInt(p(n)), (n) => parseInt(s(n)), (n) => Math.max(v(n), 1), (n) => Math.pow(v(n), 2), (n) => [s(n)] + '', (n) => [s(n)].join(),
    (n) => ({ [s(n)]: 1 }), (n) => ({})[s(n)], (n) => s(n) in {}, (n) => isNaN(v(n)), (n) => new Date(p(n)), (n) => new Array(1).fill(0, v(n)), (n) => 'abc'.slice(v(n)), (n) => 'abc'.indexOf(s(n)), (n) => Symbol(s(n)), (n) => new Error(s(n)),
    (n) => Object.prototype.toString.call({ get [Symbol.toStringTag]() { n(); return 't'; } }), (n) => [].concat({ get [Symbol.isConcatSpreadable]() { n(); return false; } }), (n) => 'x'.match({ [Symbol.match]() { n(); } }),
    (n) => 'x'.replace({ [Symbol.replace]() { n(); } }, ''), (n) => 'x'.split({ [Symbol.split]() { n(); } }), (n) => 'x'.search({ [Symbol.search]() { n(); } }), (n) => 'x'.matchAll({ [Symbol.matchAll]() { n(); } }),
    (n) => Object.assign(/x/, { exec() { n(); return null; } }).test('x'), (n) => 'x'.replace(Object.assign(/x/g, { exec() { n(); return null; } }), ''), (n) => Object.assign(/x/, { exec: () => { n(); return null; } })[Symbol.match]('x'),
    (n) => { const r = /x/y; r.lastIndex = v(n); r.exec('x'); }, (n) => new RegExp({ get [Symbol.match]() { n(); } }), (n) => String.raw({ raw: { length: v(n) } }), (n) => Buffer.from(v(n)), (n) => new Uint8Array(v(n)), (n) => new Float64Array([v(n)]), (n) => { new Int8Array(1)[0] = v(n); },
    (n) => (5).toString(v(n)), (n) => 'x'.repeat(v(n)), (n) => 'x'.padEnd(v(n)), (n) => [1].at && [1].at(v(n)), (n) => String.fromCharCode(v(n)), (n) => JSON.stringify(1, null, s(n)), (n) => JSON.stringify({ a: Object.assign(Object.create(Number.prototype), {}), toJSON() { n(); } }),
    (n) => JSON.parse(s(() => n()) + ''), (n) => new Date(2020, v(n)), (n) => Object.assign(new Date(), { toJSON() { n(); } }) && JSON.stringify(Object.assign(new Date(), { toJSON() { n(); } })), (n) => Object.assign(new Date(), { toISOString() { n(); } }).toJSON(),
    (n) => new Intl.NumberFormat().format(v(n)), (n) => 'a'.localeCompare(s(n)), (n) => Atomics.load(new Int32Array(2), v(n)), (n) => eval(`${s(n)};1;var x`.slice(0, 0)), (n) => setTimeout(() => {}, v(n)), (n) => parseFloat(s(n)), (n) => encodeURI(s(n)), (n) => Object.is(v(n) | 0, 1), (n) => [3, 1].includes(1, v(n)),
    (n) => { class X { static [Symbol.hasInstance]() { n(); } } return 1 instanceof X; }, (n) => { class X { static [s(n)]() {} } }, (n) => { switch (1) { case +v(n): } }, (n) => v(n) ** v(() => {}), (n) => (v(n), v(n) >>> 0), (n) => 1 > p(n), (n) => { 'use strict'; return '' + p(n); },
    (n) => { process.env.v8rs_test = s(n); }, (n) => process.env[s(n)], (n) => { try { new URL(s(n)); } catch (_) {} }, (n) => util.inspect({ [util.inspect.custom]() { n(); return ''; } }), (n) => util.format('%s', { toString() { n(); return ''; }, [Symbol.toPrimitive]() { n(); return ''; } }),
  ];
  nest(ops, next);
});

// Iterators and generators.
link('iterators', (next) => {
  const it = (n, at = 'next') => ({
    [Symbol.iterator]() {
      let i = 0;
      if (at === 'iterator') n();
      return {
        next() { if (at === 'next' && i === 0) n(); return { done: i++ > 2, get value() { if (at === 'value' && i === 1) n(); return i; } }; },
        return() { if (at === 'return') n(); return {}; },
      };
    },
  });
  const uses = [
    (i) => { for (const x of i) if (x) break; }, (i) => { const [a] = i; return a; }, (i) => { const [a, ...b] = i; return b; }, (i) => [...i], (i) => Math.max(...i), (i) => new Set(i), (i) => new Array(...i), (i) => Array.from(i),
    (i) => { function* g() { yield* i; } for (const x of g()) if (x) break; }, (i) => (([a, b]) => a)(i), (i) => { [{}.x] = i; }, (i) => { for (const [k] of [i]) return k; }, (i) => new Uint8Array(i), (i) => new Map([i]), (i) => { outer: for (;;) { for (const x of i) break outer; } },
    (i) => { try { for (const x of i) throw x; } catch (_) {} }, (i) => { (function () { for (const x of i) return x; })(); }, (i) => Promise.all(i), (i) => Object.fromEntries([i]), (i) => { try { new WeakSet(i); } catch (_) {} }, (i) => { let a, b; [a, b = 1] = i; }, (i) => { try { Promise.race(i); } catch (_) {} },
  ];
  const ways = [];
  for (const use of uses) {
    for (const at of ['iterator', 'next', 'value', 'return']) ways.push((n) => use(it(n, at)));
  }
  nest(ways, next);
});
link('generators', (next) => {
  function* g(n) {
    try {
      const got = yield 1;
      got();
      yield 2;
      yield 3;
    } catch (e) {
      e();
      yield 4;
    } finally {
      n();
      yield 5;
    }
  }
  const a = g(() => {});
  a.next();
  a.next(() => {
    const b = g(() => {
      const c = g(() => {});
      c.next();
      c.throw(() => {
        const o = { *m() { yield* inner(); }, async *am() { yield* inner(); } };
        function* inner() { yield* [1]; next(); }
        const d = o.m();
        d.next();
        d.next();
      });
    });
    b.next();
    b.return(5);
  });
});
link('generatorDelegates', (next) => {
  function* outer(i) { yield* i; }
  const at = (method, n) => {
    const inner = { [Symbol.iterator]() { return this; }, next: () => ({ done: false }), [method](v) { n(); return { done: true }; } };
    const made = outer(inner);
    made.next();
    made[method](1);
  };
  at('return', () => at('throw', () => { for (const x of outer({ *[Symbol.iterator]() { next(); yield 1; } })) return x; }));
});
link('generatorConstructors', (next) => {
  const G = Object.getPrototypeOf(function* () {}).constructor;
  const A = Object.getPrototypeOf(async function () {}).constructor;
  const AG = Object.getPrototypeOf(async function* () {}).constructor;
  new G('n', 'n(); yield 1;')(() => new A('n', 'return n();')(() => new AG('n', '\n\n n();')(next).next())).next();
});

// Text compiled at run time.
link('evals', (next) => {
  eval('(() => { eval("(() => { next(); })()") })()');
});
link('evalNested', (next) => {
  const f = eval('(function viaEval(n) { return eval("(function inner(n) { n(); })")(n); })');
  const g = (0, eval)('(function (n) { n(); })\n//# sourceURL=given-name.js');
  const h = eval('n => n()//# sourceURL=other name.js');
  const i = new Function('n', 'return eval("n()")');
  const j = new Function('a = 1', '/* c */ n', 'n()\n//# sourceURL=fn.js');
  eval(`
    f(() => g(() => h(() => i(() => j(1, () => {
      class InEval { constructor() { next(); } static m() { new InEval(); } }
      InEval.m();
    })))))`);
});
link('evalTop', (next) => { globalThis.nextOfEval = next; (0, eval)('\n  nextOfEval()'); });
link('vm', (next) => {
  const s = new vm.Script('(function (n) { n(); })', { filename: 'a script.js', lineOffset: 5, columnOffset: 10 });
  const c = vm.createContext({ n: null });
  const f = vm.compileFunction('return n();', ['n'], { filename: 'compiled.js' });
  s.runInThisContext()(() => s.runInContext(c)(() => f(() => {
    c.n = () => vm.runInContext('(class Foreign { static go(n) { n(); } })', c).go(() => vm.runInContext('[1].map(() => n2())', Object.assign(c, { n2: next })));
    vm.runInContext('n();', c);
  })));
});
link('vmNoName', (next) => vm.runInThisContext('(n) => n()', { filename: '' })(next));
link('foreignReceivers', (next) => {
  const c = vm.createContext({});
  const [O, A, F, E, g, cls] = vm.runInContext('[{}, [], function ff() {}, new Error("x"), this, class FK {}]', c);
  const f = function strict(n) { 'use strict'; n(); };
  const s = function sloppy(n) { n(); };
  const inner = vm.runInContext('(function other(n) { n(); })', c);
  f.call(O, () => f.call(A, () => f.call(F, () => f.call(E, () => f.call(g, () => f.call(cls, () => s.call(g, () => s.call(O, () => inner.call(undefined, () => inner.call({}, () => inner.call(5, () => inner(next))))))))))));
});

// Node's own.
link('emitter', (next) => {
  const e = new events();
  e.once('a', function () { e.emit('b', 1, 2, 3, 4, 5); });
  e.prependListener('b', () => e.emit('c'));
  e.on('c', next);
  e.on('c', () => {});
  e.emit('a', 1);
});
link('streams', (next) => {
  let done = false;
  const t = new stream.Transform({ transform(c, e, cb) { if (!done) { done = true; next(); } cb(); } });
  t.write('x');
  if (!done) next();
});
link('asyncHooks', (next) => {
  const { AsyncResource, AsyncLocalStorage } = require('async_hooks');
  new AsyncResource('R').runInAsyncScope(function inScope() {
    if (AsyncLocalStorage) new AsyncLocalStorage().run(1, () => next());
    else next();
  }, 'self');
});
link('asserts', (next) => {
  const assert = require('assert');
  assert.doesNotThrow(() => next());
});
link('utils', (next) => {
  util.callbackify(async () => {});
  util.deprecate(function old() { util.debuglog('x')(''); next(); }, 'm', 'V8RS1');
  util.promisify({ [util.promisify.custom]: () => next() }[util.promisify.custom])(() => {});
  util.inspect({}, { sorted(a, b) { return 0; } });
});
link('inspectSorted', (next) => { let d; util.inspect({ b: 1, a: 2 }, { sorted() { if (!d) { d = 1; next(); } return 0; } }); });
link('prepareStackTrace', (next) => {
  const before = Error.prepareStackTrace;
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 3;
  Error.prepareStackTrace = function prepare() { Error.prepareStackTrace = before; Error.stackTraceLimit = limit; next(); return ''; };
  void new Error('x').stack;
});
link('errorToString', (next) => { String(Object.assign(new Error('x'), { name: { toString() { next(); return ''; } } })); });
link('required', (next) => {
  const Module = require('module');
  const m = new Module('/virtual/m.js', module);
  m.filename = '/virtual/m.js';
  m._compile('#!/usr/bin/env node\nmodule.exports = function exported(n) { n(); };\nif (module.n) module.n();', '/virtual/m.js');
  m.exports(() => {
    const k = new Module('/virtual/with space é.js', module);
    k.n = next;
    k._compile('module.n();', '/virtual/with space é.js');
  });
});
link('timerClasses', (next) => { const t = setTimeout(() => {}, 1); t._onTimeout = next; t._onTimeout(); clearTimeout(t); });
link('tryFinally', (next) => {
  const f = () => { try { throw new Error('a'); } catch ({ message }) { try { return message; } finally { for (const x of [1]) { try { continue; } finally { next(); } } } } finally { void 0; } };
  f();
});
link('returnInFinally', (next) => { (function r() { try { return r.x; } finally { next(); } })(); });
link('commas', (next) => (0, 1, next)());
link('positions', (next) => {
  const o = { a: { b: { c: (n) => ({ d: n }) } } };
  const q = [
    (n) => o.a.b
      .c(n)
      .d(),
    (n) => o
      ['a'].b.c(n)['d'](),
    (n) => { const x = 1; return x ? n() : n(); },
    (n) => [1, n(), 2],
    (n) => ({ a: 1, b: n() }),
    (n) => { throw_: { n(); break throw_; } },
    (n) => !n() && n.length,
    (n) => { let y; y = n(); return y; },
    (n) => { let { y = n() } = {}; return y; },
    (n) => { for (let i = n(); i; ) return 1; },
    (n) => { for (; n(); ); },
    (n) => { while (n()) return; },
    (n) => { do { } while (n()); },
    (n) => { if (n()) return; else return; },
    (n) => { switch (n()) { default: } },
    (n) => { switch (undefined) { case n(): } },
    (n) => { for (const k in n()) return k; },
    (n) => { for (const k of [n()]) return k; },
    (n) => n(n(0)),
    (n) => `a${n()}b`,
    (n) => n`tag`,
    (n) => new n(),
    (n) => new (n.bind())(),
    (n) => (n)(),
    (n) => (((n)))(),
    (n) => typeof n(),
    (n) => void n(),
    (n) => { delete n().x; },
    (n) => { var { [n()]: z } = {}; },
    (n) => { class Q extends (n(), Object) { } },
    (n) => { class Q { [n()]() {} } },
    (n) => n.call(1, 2),
    (n) => n.apply(1, [2]),
    (n) => Reflect.apply(n, 1, []),
    (n) => { return (
      n()
    ); },
    (n) => { 'use strict'; return n(); },
    (n) => (a => a)(n()),
    (n) => n(...[1, 2]),
    (n) => n(1, ...[1, 2], 3),
    (n) => o.a.b.c(n).d(...[]),
    (n) => { const m = { n }; m.n(); },
    (n) => { const m = { n }; return m.n(); },
    (n) => { n() || 1; },
    (n) => { let v = 1; v += n(); },
    (n) => { o.zz = o.zz || n(); },
    (n) => { super_: for (;;) { n(); break; } },
    (n) => { try { n(); } catch { } },
    (n) => { try { } finally { n(); } },
    (n) => { if (1) { } n(); },
    (n) => /* é🙂 */ n(),
    (n) => '🙂' + n(),
    (n) => { debugger; n(); },
    (n) => { with_(n); },
  ];
  const with_ = new Function('n', 'with ({ n }) n();');
  nest(q, next);
});

const wanted = (process.argv.find((w) => w.startsWith('--only=')) || '').slice(7).split(',').filter(Boolean);
let names = Object.keys(links);
if (wanted.length) names = names.filter((n) => wanted.includes(n));
// What does not parse or work on this release is left out.
const usable = [];
for (const name of names) {
  let ran = 0;
  try {
    links[name](() => { ran++; });
    if (ran) usable.push(name);
    else process.stderr.write(`${name} never calls\n`);
  } catch (e) {
    process.stderr.write(`${name}: ${e.message}\n`);
  }
}
names = usable;

const noops = [() => {}, () => 1, () => 2, () => 3, () => 4, () => 5];
const natives = (name) => new Function('f', `%${name}(f)`);
const train = (f, times) => { for (let i = 0; i < times; i++) f(noops[i % noops.length]); };
if (variant === 'hot') for (const name of names) train(links[name], 600);
if (variant === 'turbofan' || variant === 'maglev') {
  for (const name of names) {
    natives('PrepareFunctionForOptimization')(links[name]);
    train(links[name], 20);
    natives(variant === 'maglev' ? 'OptimizeMaglevOnNextCall' : 'OptimizeFunctionOnNextCall')(links[name]);
    train(links[name], 1);
  }
}

function go(at) {
  if (at === names.length) {
    finish([takeStack, lastStep()]);
    return;
  }
  let once = false;
  links[names[at]](() => {
    if (once) return;
    once = true;
    go(at + 1);
  });
}
go(0);
