// Methods whose `this` an optimizing compiler can do without: objects that nothing else sees, numbers
// that are never boxed, values that it works out itself. All on one stack, and V8's own account of it.
// usage: receivers.js [plain|hot|turbofan|maglev] [--wait]
//   plain     by whatever tier the flags leave (the default)
//   hot       each link ran so often before that V8 may have optimized it
//   turbofan, maglev  each link optimized (needs --allow-natives-syntax)
const { tell, lastStep, stackFrom } = require('./truth.js');

const variant = process.argv.slice(2).find((word) => /^[a-z]+$/.test(word)) || 'plain';

function finish(steps) {
  for (let i = 0; i < steps.length; i++) {
    steps[i](i);
  }
}
function takeStack() {
  tell({ program: 'receivers', variant, node: process.version, stack: stackFrom(takeStack).stack });
}

const links = {};
// The last parameter is a number, lest all of it is a constant.
function link(name, make) {
  links[name] = make;
}

// Objects of literals.
link('literal', (next) => ({ m(n) { n(); } }).m(next));
link('literalWithFields', (next, k) => ({ a: k, b: k * 1.5, m(n) { n(); return this.a; } }).m(next));
link('literalArrow', (next) => ({ m: (n) => n() }).m(next));
link('literalRenamed', (next) => {
  const f = function original(n) { n(); };
  return { other: f }.other(next);
});
link('literalRenamedTwice', (next) => {
  const f = function original(n) { n(); };
  return { one: f, two: f }.two(next);
});
link('literalNoName', (next) => ({ m: (0, function (n) { n(); }) }).m(next));
link('literalGetter', (next, k) => ({ k, get it() { next(); return this.k; } }).it);
link('literalSetter', (next, k) => { ({ k, set it(v) { next(); this.k = v; } }).it = k; });
link('nested', (next, k) => {
  const outer = { inner: { k, m(n) { n(); return this.k; } }, m(n) { return this.inner.m(n); } };
  return outer.m(next);
});
link('cyclic', (next, k) => {
  const one = { k, m(n) { return this.other.m(n); } };
  const two = { one, m(n) { n(); return this.one.k; } };
  one.other = two;
  return one.m(next);
});
link('same', (next, k) => {
  const o = { k, a(n) { return this.b(n); }, b(n) { return this.c(n); }, c(n) { n(); return this.k; } };
  return o.a(next);
});
link('noPrototype', (next, k) => ({ __proto__: null, k, m(n) { n(); return this.k; } }).m(next));
link('ofPrototype', (next, k) => {
  return { __proto__: base, k }.hello(next);
});
const base = { hello(n) { n(); return this.k; } };
const tag = Symbol.toStringTag;
link('tagged', (next, k) => ({ [tag]: 'Tagged', k, m(n) { n(); return this.k; } }).m(next));
link('inheritedTag', (next, k) => ({ __proto__: taggedBase, k }).hello(next));
const taggedBase = { [tag]: 'BaseTag', hello(n) { n(); return this.k; } };
link('late', (next, k) => {
  const o = { k };
  o.more = k + 1;
  o.m = function late(n) { n(); return this.more; };
  return o.m(next);
});
link('ownConstructor', (next, k) => ({ constructor: Odd, k, m(n) { n(); return this.k; } }).m(next));
class Odd {}

// Objects of classes.
class Point {
  constructor(x, y) { this.x = x; this.y = y; }
  sum(n) { n(); return this.x + this.y; }
  get both() { const n = this.x; n(); return this.y; }
  set both(v) { const n = this.x; n(); this.y = v; }
  static make(n, k) { return new this(k, k).sum(n); }
  twice(n) { return this.sum(n); }
}
class Point3 extends Point {
  constructor(x, y, z) { super(x, y); this.z = z; }
  sum(n) { return super.sum(n) + this.z; }
}
link('class', (next, k) => new Point(k, k).sum(next));
link('classGetter', (next, k) => new Point(next, k).both);
link('classSetter', (next, k) => { new Point(next, k).both = k; });
link('classStatic', (next, k) => Point.make(next, k));
link('classTwice', (next, k) => new Point(k, k).twice(next));
link('subclass', (next, k) => new Point3(k, k, k).sum(next));
link('subclassTwice', (next, k) => new Point3(k, k, k).twice(next));
link('doubles', (next, k) => new Point(k * 0.5, k * 0.25).sum(next));
function Old(k) { this.k = k; }
Old.prototype.m = function (n) { n(); return this.k; };
Old.prototype.named = function other(n) { n(); return this.k; };
function Older(k) { Old.call(this, k); }
Older.prototype = Object.create(Old.prototype);
link('oldClass', (next, k) => new Old(k).m(next));
link('oldClassNamed', (next, k) => new Old(k).named(next));
link('oldSubclass', (next, k) => new Older(k).m(next));
link('callInConstructor', (next, k) => {
  class InConstructor { constructor(k, n) { this.k = k; this.go(n); } go(n) { n(); return this.k; } }
  return new InConstructor(k, next).k;
});
class Calls { constructor(k, n) { this.k = k; n(); } }
link('constructorItself', (next, k) => new Calls(k, next).k);
class CallsDerived extends Calls { constructor(k, n) { super(k, n); this.l = k; } }
link('derivedConstructor', (next, k) => new CallsDerived(k, next).l);
class Derives extends Point { constructor(n, k) { n(); super(k, k); } }
link('beforeSuper', (next, k) => new Derives(next, k).x);
const Named = class Inner { m(n) { n(); } };
link('classExpression', (next) => new Named().m(next));
class Extra extends Array { m(n) { n(); return this.length; } }
link('ofArray', (next) => new Extra().m(next));
class Tagged { constructor(k) { this.k = k; } get [tag]() { return 'ByGetter'; } m(n) { n(); return this.k; } }
link('classTagGetter', (next, k) => new Tagged(k).m(next));
class TaggedData { constructor(k) { this.k = k; } m(n) { n(); return this.k; } }
TaggedData.prototype[tag] = 'ByData';
link('classTagData', (next, k) => new TaggedData(k).m(next));
class Field { m = function (n) { n(); return this.k; }; arrow = (n) => { n(); return this.k; }; constructor(k) { this.k = k; } }
link('field', (next, k) => new Field(k).m(next));
link('fieldArrow', (next, k) => new Field(k).arrow(next));
class Swapped { constructor(k) { this.k = k; } m(n) { n(); return this.k; } }
Swapped.prototype.constructor = Point;
link('otherConstructor', (next, k) => new Swapped(k).m(next));

// By call and apply.
function strictThis(n) { 'use strict'; n(); return this; }
function sloppyThis(n) { n(); return typeof this; }
link('calledWith', (next, k) => { strictThis.call({ k }, next); });
link('calledWithClass', (next, k) => { strictThis.call(new Point(k, k), next); });
link('calledWithSloppy', (next, k) => { sloppyThis.call({ k }, next); });
link('calledWithArray', (next, k) => { strictThis.call([k, k], next); });
link('calledWithFunction', (next, k) => { strictThis.call(() => k, next); });
link('calledWithNamed', (next, k) => { strictThis.call(function it() { return k; }, next); });
link('calledWithRegExp', (next) => { strictThis.call(/x/, next); });
link('calledWithNumber', (next, k) => { strictThis.call(k, next); });
link('calledWithDouble', (next, k) => { strictThis.call(k * 1.25, next); });
link('calledWithBig', (next, k) => { strictThis.call(BigInt.asUintN(64, BigInt(k)) + 1n, next); });
link('calledWithBoolean', (next, k) => { strictThis.call(k > 3, next); });
link('calledWithString', (next, k) => { strictThis.call('the number ' + k, next); });
link('calledWithTwoStrings', (next) => { strictThis.call(longText + otherText, next); });
const longText = 'a'.repeat(50), otherText = 'b'.repeat(50);
link('calledWithSymbol', (next) => { strictThis.call(tag, next); });
link('calledWithUndefined', (next) => { strictThis.call(undefined, next); });
link('calledWithNull', (next) => { strictThis.call(null, next); });
link('calledWithNothing', (next) => { strictThis(next); });
link('calledWithArguments', function (next) { (function (n) { strictThis.call(arguments, n); })(next); });
link('calledWithRest', (next, k) => { ((...rest) => strictThis.call(rest, next))(k, k); });
link('calledSloppyNumber', (next, k) => { sloppyThis.call(k, next); });
link('calledSloppyDouble', (next, k) => { sloppyThis.call(k * 1.25, next); });
link('calledSloppyString', (next, k) => { sloppyThis.call('text' + k, next); });
link('calledSloppyBoolean', (next, k) => { sloppyThis.call(k > 3, next); });
link('calledSloppyNothing', (next) => { sloppyThis(next); });
link('bound', (next, k) => strictThis.bind({ k })(next));
link('boundNumber', (next, k) => strictThis.bind(k)(next));
link('boundRest', (next, k) => strictThis.bind(new Point(k, k), next)());

// Methods of primitive values.
const own = (prototype, name, f) => Object.defineProperty(prototype, name, { value: f, configurable: true });
const addMethods = (prototype) => {
  own(prototype, 'strictly', function strictly(n) { 'use strict'; n(); return this; });
  own(prototype, 'renamed', function otherwise(n) { 'use strict'; n(); return this; });
  prototype.enumerable = function enumerated(n) { 'use strict'; n(); return this; };
  own(prototype, 'sloppily', function sloppily(n) { n(); return typeof this; });
  Object.defineProperty(prototype, 'got', { configurable: true, get: function got() { 'use strict'; const n = nextOfGetter; n(); return this; } });
};
let nextOfGetter;
const primitives = { Number, String, Boolean, Symbol, BigInt };
for (const name of Object.keys(primitives)) addMethods(primitives[name].prototype);
const values = { Number: (k) => k, Double: (k) => k * 1.5, String: (k) => 's' + k, Boolean: (k) => k > 2, BigInt: (k) => BigInt(k), Symbol: () => tag };
for (const kind of Object.keys(values)) {
  // Made by text: each has feedback of its own.
  for (const method of ['strictly', 'renamed', 'enumerable', 'sloppily']) {
    link(kind + method, new Function('value', `return (next, k) => value(k).${method}(next)`)(values[kind]));
  }
  const getter = new Function('value', 'set', 'return (next, k) => { set(next); value(k).got; }');
  link(kind + 'got', getter(values[kind], (n) => { nextOfGetter = n; }));
}

// Callbacks of builtins that are inlined.
link('mapThis', (next, k) => [k].map(function it(x) { 'use strict'; next(); return this; }, { k }));
link('forEachThis', (next, k) => { [k].forEach(function (x) { next(); }, new Point(k, k)); });
link('everyNumber', (next, k) => [k].every(function it(x) { 'use strict'; next(); return this; }, k * 1.5));
link('reduceMethods', (next, k) => [new Point(k, k)].reduce((sum, p) => p.sum(next), 0));
link('iterates', (next, k) => {
  const it = { k, [Symbol.iterator]() { return this; }, next() { const n = next; n(); return { done: true, value: this.k }; } };
  for (const x of it) return x;
});
link('iteratesClass', (next, k) => {
  for (const x of new Range(next, k)) if (x > 1) return x;
});
class Range {
  constructor(n, k) { this.n = n; this.k = k; }
  [Symbol.iterator]() { return this; }
  next() { (0, this.n)(); return { done: true, value: this.k }; }
}
link('valueOf', (next, k) => new Value(next, k) + 1);
class Value { constructor(n, k) { this.n = n; this.k = k; } valueOf() { (0, this.n)(); return this.k; } }
link('closureThis', (next, k) => {
  const o = { k, m(n) { return (() => { n(); return this.k; })(); } };
  return o.m(next);
});
link('methodOfClosure', (next, k) => {
  const f = function f() { return k; };
  f.m = function m(n) { n(); return this(); };
  return f.m(next);
});
link('generated', (next, k) => {
  class Local { constructor(k) { this.k = k; } m(n) { n(); return this.k; } }
  return new Local(k).m(next);
});
link('accumulated', (next, k) => {
  let last = 0;
  for (let i = 0; i < 3; i++) {
    const o = { i, k, m(n) { if (this.i === 2) n(); return this.k; } };
    last += o.m(next);
  }
  return last;
});
link('either', (next, k) => {
  const o = k > 2 ? new Point(k, 1) : new Point3(k, 1, 1);
  return o.sum(next);
});

let names = Object.keys(links);
// What never calls on this release is left out.
names = names.filter((name) => {
  let ran = 0;
  links[name](() => { ran++; }, 3);
  return ran > 0;
});

const noops = [() => {}, () => 1, () => 2, () => 3, () => 4, () => 5];
const natives = (name) => new Function('f', `%${name}(f)`);
const train = (f, times) => { for (let i = 0; i < times; i++) f(noops[i % noops.length], i % 7); };
if (variant === 'hot') for (const name of names) train(links[name], 3000);
if (variant === 'turbofan' || variant === 'maglev') {
  for (const name of names) natives('PrepareFunctionForOptimization')(links[name]);
  for (const name of names) train(links[name], 50);
  for (const name of names) {
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
  }, 3);
}
go(0);
