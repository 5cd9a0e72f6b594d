// Functions whose variables are in odd places, one calling the next: what `eval`, `with`, `arguments`,
// parameters with defaults, classes and hoisted functions make of them. Each says what its variables
// hold just before it calls: `note(function, values, without)`; `without` are those that have no value yet.
// usage: scopes.js [plain|hot|turbofan|maglev] [--wait]
const { tell, lastStep } = require('./truth.js');
const words=process.argv.slice(2);
const variant = words.find((w) => /^[a-z]+$/.test(w)) || 'plain';
const [major] = process.versions.node.split('.').map(Number);
const show = (value) => {
  if (value === globalThis) return '[globalThis]';
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (Array.isArray(value)) return `[array ${value.length}]`;
  if (typeof value === 'object' && value !== null) return `[object ${value.constructor.name}]`;
  if (typeof value === 'string') return `'${value}'`;
  return String(value);
};
const notes = new Map();
function note(f, values, without) { notes.set(f, { values, without: without || [] }); }
function sink(value) { return value; }
// What `eval` added to a function's variables, what code of its own `eval` has, the properties of the
// innermost `with` in a function, and the variables of the initializer of a class in it.
const more = { added: {}, evaled: {}, properties: {}, initializers: {} };
const say = (kind, f, values, without) => { more[kind][f] = { values, without: without || [] }; };
const L = {};
// eval
L.evalVar = function evalVar(next, p) { eval('var added = 11; p = 12'); let a = 1; note('evalVar', { next, p, a, added }); next(); sink(a); };
L.evalLet = function evalLet(next, p) { 'use strict'; let a = 1; eval('a = 2; let hidden = 3; var hidden2 = 4; sink(hidden)'); note('evalLet', { next, p, a }); next(); };
L.evalInside = function evalInside(next, p) { let a = 1; { let b = 2; eval('let c = 3; a = 5; next();note("evalInside", {next,p,a,b}); '); sink(b);} };
L.evalDefault = function evalDefault(next, p = eval('var q = 5; 6'), r = 7) { let a = 1; r = 8; note('evalDefault', { next, p, r, a }); next(); };
L.evalArrow = function evalArrow(next, p) { return ((x) => { let y = eval('x = 9; x + 1'); note('evalArrow', { next, p }); next(); sink(y); })(1); };
L.withDefault = new Function('next','note','sink', 'p = 3', 'q = 4', `p = 33; let a = 1; with ({ b: 2, p: 77 }) { q = 44; p = 78; let c = 3; note('anonymous', { next, note, sink, a, c, q, p: 33 }, []); next(); sink([a, c]); }`);
L.withPlain = function withPlain(next) { return new Function('next','note','sink','p','q', `p = 50; q = 51; with ({}) { note('anonymous', {next,note,sink,p,q}); next(); }`)(next,note,sink,1,2); };
L.evalMany = function evalMany(next, p) { eval('var one = 1, gone = 3; var two = "2"; function three() {} delete gone;'); const innerEval = () => { eval('var within = 4'); say('added', 'innerEval', { within: 4 }); say('added', 'evalMany', { one, two, three }); note('evalMany', { next, p, innerEval, one, two, three }); next(); }; innerEval(); };
L.evalBlock = function evalBlock(next) { { let b = 1; eval('var q = 2; q = "q"'); say('added', 'evalBlock', { q }); note('evalBlock', { next, b, q }); next(); sink(b); } };
L.evalOwn = function evalOwn(next) { 'use strict'; const k = 5; note('evalOwn', { next, k }); eval('var s = 1; let t = s + k; say("evaled", "evalOwn", { t }); next();'); };
L.evalSloppy = function evalSloppy(next, p = 2) { note('evalSloppy', { next, p }); eval('let t = p; var u = 7; say("evaled", "evalSloppy", { t }); say("added", "evalSloppy", { u }); next();'); };
L.withNested = function withNested(next, p) { let a = 0, z = 8, own = 9; sink(own); with ({ a: 1, get g() { return 1; } }) { let inWith = z; p = 6; with ({ b: 'x', c: 2.5 }) { const most = 3; c = [1]; say('properties', 'withNested', { b: 'x', c: [1] }); note('withNested', { next, p, a: 0, z, own, inWith, most }); next(); sink([inWith, most]); } } sink(own); };
L.withClosure = function withClosure(next, p, q) { var v; with (Object.create({ far: 1 }, { near: { value: 2 } })) { var v = 4; const inWithClosure = () => { let w = near + far + p; say('properties', 'withClosure', { near: 2 }); note('withClosure', { next, p, q, v, inWithClosure }); note('inWithClosure', { w }); next(); return w; }; inWithClosure(); } sink(q); };
// arguments
L.argsMapped = function argsMapped(next, p, q) { arguments[1] = 'changed'; arguments[2] = 5; note('argsMapped', { next, p, q }); next(); sink(arguments); };
L.argsStrict = function argsStrict(next, p, q) { 'use strict'; arguments[1] = 'changed'; q = 6; note('argsStrict', { next, p, q }); next(); sink(arguments); };
L.argsDefault = function argsDefault(next, p = 2, q = 3) { arguments[1] = 'changed'; q = 6; note('argsDefault', { next, p, q }); next(); sink(arguments); };
L.dupParams = function dupParams(next, p, p) { note('dupParams', { next, p }); next(); sink(p); };
L.unusedParams = function unusedParams(next, p, q) { p = 10; note('unusedParams', { next, p: 10, q: 2 }); next(); };
L.defaultsChanged = function defaultsChanged(next, p = 2, q) { p = 10; q = 11; note('defaultsChanged', { next, p, q }); next(); };
L.defaultsUnused = function defaultsUnused(next, p = 2, q) { p = 10; q = 11; note('defaultsUnused', { next, p: 10, q: 11 }); next(); };
L.restChanged = function restChanged(next, ...rest) { rest = 5; note('restChanged', { next, rest }); next(); };
L.paramScope = function paramScope(next, p = 1, f = () => p) { var p = 2; p = 3; let g = f(); note('paramScope', { next, p, f, g }); next(); sink(p + g); };
L.paramFunction = function paramFunction(next, p) { function p() {} note('paramFunction', { next, p }); next(); sink(p); };
L.paramVar = function paramVar(next, p) { var p; note('paramVar', { next, p }); next(); sink(p); };
L.patternParam = function patternParam(next, { a = 1, ...b } = { z: 1 }, [c, [d] = [4]] = [3]) { a = 9; note('patternParam', { next, a, b, c, d }); next(); sink([b]); };
L.manyPassed = function manyPassed(next, p) { p = 4; note('manyPassed', { next, p }); next(); };
// closures of loops
L.loopClosures = function loopClosures(next) { const fs = []; for (let i = 0, j = 10; i < 3; i++, j++) { fs.push(() => i++ + j); fs[0](); if (i === 2) { note('loopClosures', { next, fs, i, j }); next(); } } };
L.loopVarClosure = function loopVarClosure(next) { for (var i = 0; i < 3; i++) { (() => i)(); if (i === 1) { note('loopVarClosure', { next, i }); next(); } } };
L.forOfClosure = function forOfClosure(next) { for (const [k, v] of new Map([[1, 2], [3, 4]])) { sink(() => k); if (k === 3) { note('forOfClosure', { next, k, v }); next(); } } };
L.labelledContinue = function labelledContinue(next) { outer: for (let i = 0; i < 3; i++) { for (let j = 5; j < 8; j++) { if (j === 6) continue outer; if (i === 2) { note('labelledContinue', { next, i, j }); next(); } } } };
L.switchTdz = function switchTdz(next) { switch (sink(2)) { case 1: let x = 1; sink(x); case 2: let y = 3; sink(() => y); note('switchTdz', { next, y }, ['x']); next(); } };
L.switchTdzFn = function switchTdzFn(next) { switch (sink(2)) { case 1: let x = 1; sink(() => x); case 2: function ff() {} note('switchTdzFn', { next, ff }, ['x']); next(); sink(ff); } };
// this and classes
class Base { constructor(next, n) { let b = n; this.n = n; note('Base', { next, n, b }); next(); sink(b); } }
class Derived extends Base { constructor(next) { let x = 5; super(() => { note('Derived', { next, x }); next(); }, 7); sink(x); } }
L.derived = function derived(next) { note('derived', { next }); new Derived(next); };
class After extends Object { constructor(next) { let x = 5; super(); let y = () => this; note('After', { next, x, y }); next(); sink([x, y]); } }
L.after = function after(next) { note('after', { next }); new After(next); };
L.accessors = function accessors(next) { const o = { get v() { let g = 1; note('get v', { g }); next(); return g; } }; note('accessors', { next, o }); o.v; };
L.setter = function setter(next) { const o = { set w(x) { x = x + 1; let g = x; note('set w', { x, g }); next(); sink(g); } }; note('setter', { next, o }); o.w = 4; };
L.fieldInit = function fieldInit(next) { class F { a = 1; b = (note('fieldInit', { next, F }), next()); } sink(new F()); };
if (major >= 16) L.privates = new Function('note', 'sink', `return function privates(next) { class P { #m(x) { let y = x * 2; note('#m', { x, y }); next(); return y; } goes() { const z = 3; note('goes', { z }); return this.#m(z); } } note('privates', { next, P }); new P().goes(); }`)(note, sink);
if (major >= 16) L.staticBlock = new Function('note', 'sink', `return function staticBlock(next) { let a = 1; class S { static { let inBlock = 3; { let deep = 5; note('staticBlock', { next, a }, ['S']); next(); sink([inBlock, deep]); } } } sink([a, S]); }`)(note, sink);
if (major >= 16) L.staticLate = new Function('note', 'sink', `return function staticLate(next) { let z = 9; { let gone = 4; note('staticLate', { next, z, a: 1, b: 2 }, ['S']); sink(gone); } let a = 1; const b = 2; class S { static { next(); } } sink([z, a, b, S]); }`)(note, sink);
if (major >= 16) L.staticVars = new Function('note', 'sink', 'say', `return function staticVars(next) { class S { static one = sink(1); m() { let no = 1; return no; } static { let inBlock = 3; var v = 4; { let deep = 5; const { d } = { d: 6 }; note('staticVars', { next }, ['S']); say('initializers', 'staticVars', { inBlock, v, deep, d }, ['later']); next(); sink([inBlock, deep, v, d]); } let later = 1; sink(later); } static two = sink(2); static { let another = 9; sink(another); } } sink(S); }`)(note, sink, say);
if (major >= 16) L.staticLast = new Function('note', 'sink', 'say', `return function staticLast(next) { const C = class { p = 1; static { let first = 1, other = 2; sink([first, other]); } static f = class { static { let within = 0; sink(within); } }; q = () => 2; static { let seen = 7, x = 8; for (let i = 0; i < 2; i++) { let each = i * 2; if (i) { sink(() => seen); note('staticLast', { next }, ['C']); say('initializers', 'staticLast', { seen, x, i, each }); next(); sink([seen, x, each]); } } } }; sink(C); }`)(note, sink, say);
if (major >= 16) L.fieldNested = new Function('note', 'sink', 'say', `return function fieldNested(next) { class F { a = sink(1); static s = 2; b = class { static x = 1; static { let nested = 5; const { length } = 'abc'; note('fieldNested', { next, F }); say('initializers', 'fieldNested', { nested, length }, ['y']); next(); let y = nested; sink([y, length]); } }; c = 3; } sink(new F()); }`)(note, sink, say);
L.fieldBase = function fieldBase(next) { class FieldBase { a = (note('FieldBase', { p: 5, v: undefined, w: { w() {} }.w }, ['u']), note('fieldBase', { next, FieldBase }), next()); constructor(p) { let u = 1; var v = 2; function w() {} sink([p, u, v, w]); } } new FieldBase(5); };
L.fieldDefault = function fieldDefault(next) { class FieldDefault { a = (note('FieldDefault', { v: undefined }, ['p', 'u']), note('fieldDefault', { next, FieldDefault }), next()); constructor(p = 6) { const u = 1; var v = 2; sink([p, u, v]); } } new FieldDefault(); };
L.fieldDerived = function fieldDerived(next) { class FieldDerived extends Object { a = (note('FieldDerived', { p: 5, x: 6 }, ['c', 'y']), note('fieldDerived', { next, FieldDerived }), next()); constructor(p) { let x = 6; const c = super(sink(x)); let y = 1; sink([p, x, c, y]); } } new FieldDerived(5); };
L.fieldArrow = function fieldArrow(next) { class FieldArrow extends Object { a = (note('callsSuper', { n: 9, l: 5 }, ['m']), note('fieldArrow', { next, FieldArrow }), next()); constructor() { const callsSuper = (n) => { let l = 5; super(); let m = 6; return [n, l, m]; }; callsSuper(9); } } new FieldArrow(); };
L.staticInner = function staticInner(next) { class StaticOuter { constructor() { let i = 1; const K = class { static s = (note('StaticOuter', { i }, ['K', 'j']), note('staticInner', { next, StaticOuter }), next()); }; let j = 2; sink([i, K, j]); } } new StaticOuter(); };
L.staticSwitch = function staticSwitch(next) { let z = 1; { let gone = 2; sink(gone); } switch (sink(1)) { case 0: let x = 1; sink(x); case 1: let x1 = 2; { let deep = sink(7); class S extends (class { static one = sink(3); }) { static [sink('f')] = (note('staticSwitch', { next, z, x1, deep }, ['S', 'after', 'later', 'x']), next()); m() {} } let after = 8; sink([deep, after, S, x1]); } } let later = 9; sink([z, later]); };
L.className = function className(next) { const C = class K { static m() { let k = K; note('m', { k }); next(); sink(k); } }; note('className', { next, C }); C.m(); };
L.catchShadow = function catchShadow(next) { let e = 1; try { throw 2; } catch (e) { var e2 = e; { let e = 3; note('catchShadow', { next, e, e2 }); next(); sink(e); } } sink(e); };
L.catchVar = function catchVar(next) { try { throw 2; } catch (e) { var e = 5; note('catchVar', { next, e }); next(); sink(e); } };
L.annexB = function annexB(next) { sink(typeof g); { function g() {} g = 5; { sink(g); } note('annexB', { next, g }); next(); } sink(g); };
L.annexBAfter = function annexBAfter(next) { { function g() {} g = 5; } note('annexBAfter', { next, g }); next(); sink(g); };
L.longText = function longText(next) { const t = 'x'.repeat(5), nan = NaN, inf = -Infinity, big = 2n ** 70n, sy = 2 ** 31, sm = -(2 ** 31); note('longText', { next, t, nan, inf, big, sy, sm }); next(); sink([t, nan, inf, big, sy, sm]); };
L.gen = function gen(next) { function* g1(a, b = 2) { let c = yield a; const d = yield* (function* inner() { let z = yield 5; note('inner', { z }); next(); return z; })(); sink([c, d, b]); } const it = [g1(1)]; it[0].next(); it[0].next('c'); note('gen', { next, g1, it }); note('g1', { a: 1, b: 2, c: 'c' }, ['d']); it[0].next('z'); };
L.comma = function comma(next, p) { let a = (p = 5, 6), b = (note('comma', { next, p, a }, ['b', 'c']), next(), 7), c = 8; sink([a, b, c]); };
L.dead = function dead(next) { { let a = 1, b = 2; sink(a + b); } { let x = 'x'; note('dead', { next, x }, ['y']); next(); let y = x; sink(y); } };
L.named = function self(next) { var self = 5; note('self', { next, self }); next(); sink(self); };
L.namedAssign = function me(next) { me = 5; let a = me; note('me', { next, me: a, a }); next(); sink(a); };
L.destructAssign = function destructAssign(next) { let a, b, c; [a, b] = [1, 2]; ({ a: b, ...c } = { a: 3, q: 1 }); [a, b] = [b, a]; note('destructAssign', { next, a, b, c }); next(); sink([a, b, c]); };
L.incdec = function incdec(next, p) { p++; let i = p--; i += p; i **= 2; note('incdec', { next, p, i }); next(); };
if (major >= 16) L.logical = new Function('note', `return function logical(next, p) { let a = null; a ??= 5; p &&= 6; let b = 0; b ||= 7; note('logical', { next, p, a, b }); next(); }`)(note);
L.doubles = function doubles(next, p) { let s = 0.5; for (let i = 0; i < 5; i++) { s += i * 1.1; if (i === 4) { note('doubles', { next, p, i, s }); next(); } } return s; };
L.phi = function phi(next, p) { let a; if (p) a = p * 2; else a = 'no'; let b = a; a = 3.5; note('phi', { next, p, a, b }); next(); return [a, b]; };
const names = Object.keys(L);
const noops = [() => {}, () => 1, () => 2, () => 3, () => 4, () => 5, () => 6];
const call = (n, next) => n === 'withDefault' ? L[n](next, note, sink) : n === 'manyPassed' ? L[n](next, 1, 2, 3, 4, 5) : n === 'evalDefault' || n === 'patternParam' || n === 'paramScope' ? L[n](next) : L[n](next, 1, 2);
const natives = (name) => new Function('f', `%${name}(f)`);
for (const n of names) {
  if (variant === 'plain') { call(n, noops[0]); continue; }
  if (variant === 'hot') { for (let i = 0; i < 3000; i++) call(n, noops[i % 7]); continue; }
  natives('PrepareFunctionForOptimization')(L[n]);
  for (let i = 0; i < 200; i++) call(n, noops[i % 7]);
  natives(variant === 'maglev' ? 'OptimizeMaglevOnNextCall' : 'OptimizeFunctionOnNextCall')(L[n]);
  call(n, noops[0]);
}
notes.clear();
function shown({ values, without }) {
  const out = { values: {}, without };
  for (const key of Object.keys(values)) out.values[key] = show(values[key]);
  return out;
}
function takeNotes() {
  const functions = {};
  for (const [name, said] of notes) functions[name] = shown(said);
  for (const kind of Object.keys(more)) for (const f of Object.keys(more[kind])) more[kind][f] = shown(more[kind][f]);
  tell({ program: 'scopes', variant, node: process.version, functions, ...more });
}
function finish(steps) { for (let i = 0; i < steps.length; i++) steps[i](); }
function go(at) { if (at === names.length) { finish([takeNotes, lastStep()]); return; } call(names[at], function next() { go(at + 1); }); }
go(0);
