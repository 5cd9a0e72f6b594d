'use strict';
// Classes of unusual kinds, each with a number of instances of its own. What V8 calls them it says
// itself, in its snapshot of this heap just before the end (guests.heapsnapshot).
// usage: guests.js
const v8 = require('v8');
const vm = require('vm');
const { tell, lastStep } = require('./truth.js');

const held = [];
// Instances that the program made, by the name that their class was given, where it has one.
const made = {};
let next = 3;

// Holds `make()` a number of times that no other kind has.
function keep(name, make) {
  const count = next++;
  for (let i = 0; i < count; i++) held.push(make(i));
  if (name !== null) made[name] = (made[name] || 0) + count;
}

// What this Node has no syntax or no object for is left out.
function attempt(kind) {
  try {
    kind();
  } catch (_) {
    // Not on this release.
  }
}

// Subclasses of what the language has.
class GuestPromise extends Promise {}
keep('GuestPromise', (i) => GuestPromise.resolve(i));
class GuestBytes extends Uint8Array {}
keep('GuestBytes', (i) => new GuestBytes(i));
class GuestDoubles extends Float64Array {}
keep('GuestDoubles', (i) => new GuestDoubles([i, 0.5]));
class GuestBigs extends BigInt64Array {}
keep('GuestBigs', () => new GuestBigs(2));
class GuestDate extends Date {}
keep('GuestDate', (i) => new GuestDate(i));
class GuestArrayBuffer extends ArrayBuffer {}
keep('GuestArrayBuffer', (i) => new GuestArrayBuffer(i + 1));
class GuestShared extends SharedArrayBuffer {}
keep('GuestShared', (i) => new GuestShared(i + 1));
class GuestView extends DataView {}
keep('GuestView', () => new GuestView(new ArrayBuffer(8)));
class GuestWeakMap extends WeakMap {}
keep('GuestWeakMap', () => new GuestWeakMap());
class GuestWeakSet extends WeakSet {}
keep('GuestWeakSet', () => new GuestWeakSet());
attempt(() => {
  class GuestWeakRef extends WeakRef {}
  keep('GuestWeakRef', () => new GuestWeakRef({}));
  class GuestRegistry extends FinalizationRegistry {}
  keep('GuestRegistry', () => new GuestRegistry(() => {}));
});
class GuestList extends Array {}
keep('GuestList', (i) => GuestList.of(i));
class GuestMap extends Map {}
keep('GuestMap', (i) => new GuestMap([[i, i]]));
class GuestError extends TypeError {}
keep('GuestError', (i) => new GuestError(`guest ${i}`));
class GuestNumber extends Number {}
keep('GuestNumber', (i) => new GuestNumber(i));
class GuestText extends String {}
keep('GuestText', (i) => new GuestText(`text ${i}`));
class GuestBoolean extends Boolean {}
keep('GuestBoolean', (i) => new GuestBoolean(i % 2));
class GuestEmitter extends require('events') {}
keep('GuestEmitter', () => new GuestEmitter());
class GuestStream extends require('stream').Readable {}
keep('GuestStream', () => new GuestStream());
class GuestBuffer extends Buffer.from('').constructor {}
keep(null, () => Reflect.construct(Uint8Array, [4], GuestBuffer));

// Symbol.species: what methods make.
class Speciesless extends Array {
  static get [Symbol.species]() {
    return Array;
  }
}
keep('Speciesless', () => Speciesless.of(1, 2));
keep(null, () => Speciesless.of(1, 2).map((x) => x + 1));
class Derived extends Array {
  static get [Symbol.species]() {
    return GuestList;
  }
}
keep('GuestList', () => Derived.of(1).filter(() => true));

// Proxies of instances, and callable ones.
class Wrapped {
  constructor(id) {
    this.id = id;
  }
}
keep('Wrapped', (i) => new Proxy(new Wrapped(i), {}));
keep(null, () => new Proxy(function target() {}, {}));

// Names from where a class stands, and none.
keep(null, () => new (class {})());
const anonymous = [class {}, function () {}];
keep(null, () => new anonymous[0]());
keep(null, () => new anonymous[1]());
const shelf = {};
shelf.OnShelf = class {};
keep(null, () => new shelf.OnShelf());
shelf.onShelf = function () {
  this.shelved = true;
};
keep(null, () => new shelf.onShelf());
const Assigned = class {};
keep('Assigned', () => new Assigned());
const Alias = class Inner {};
keep('Inner', () => new Alias());
shelf['computed key'] = { ['made ' + 'up']: class {} };
keep(null, () => new shelf['computed key']['made up']());
const byDefault = (Given = class {}) => Given;
const Given = byDefault();
keep(null, () => new Given());
class StaticName {
  static name() {
    return 'not a string';
  }
}
keep(null, () => new StaticName());
class StaticText {}
Object.defineProperty(StaticText, 'name', { value: 'RenamedText' });
keep(null, () => new StaticText());
function Renamed() {}
Object.defineProperty(Renamed, 'name', { value: 'RenamedFunction' });
keep(null, () => new Renamed());
class GetterName {
  static get name() {
    throw new Error('not to be run');
  }
}
keep(null, () => new GetterName());
keep(null, () => new (class Object {})());
keep(null, () => new (class Map {})());

// `constructor` gone, replaced, or no function.
function Replaced() {}
Replaced.prototype = { kind: 'replaced' };
keep(null, () => new Replaced());
function NoConstructor() {}
delete NoConstructor.prototype.constructor;
keep(null, () => new NoConstructor());
function OtherConstructor() {}
OtherConstructor.prototype.constructor = Wrapped;
keep(null, () => new OtherConstructor());
function TextConstructor() {}
TextConstructor.prototype.constructor = 'text';
keep(null, () => new TextConstructor());
keep(null, (i) => ({ constructor: i, own: true }));
keep(null, () => ({ constructor: GuestMap, own: true }));
class Above {}
class Between extends Above {}
delete Between.prototype.constructor;
keep(null, () => new Between());
class AccessorConstructor {}
Object.defineProperty(AccessorConstructor.prototype, 'constructor', {
  get() {
    throw new Error('not to be run');
  },
});
keep(null, () => new AccessorConstructor());

// Prototypes given and taken.
keep(null, () => Object.create(null));
keep(null, (i) => Object.assign(Object.create(null), { i, b: 2 }));
keep(null, () => Object.create(Wrapped.prototype));
keep(null, () => Object.create({ bare: 1 }));
keep(null, () => Object.create(Object.create(null)));
keep(null, () => Object.create(new Wrapped(0)));
keep(null, (i) => Object.setPrototypeOf({ moved: i }, Wrapped.prototype));
keep(null, (i) => Object.setPrototypeOf(new Wrapped(i), null));
keep(null, (i) => Object.setPrototypeOf(new Wrapped(i), Above.prototype));
keep(null, (i) => Object.setPrototypeOf([i], GuestMap.prototype));
keep(null, (i) => ({ __proto__: Above.prototype, i }));
keep(null, (i) => Object.setPrototypeOf(new Map([[i, i]]), Above.prototype));
keep(null, (i) => Reflect.construct(Map, [], Above));
keep(null, (i) => Reflect.construct(Wrapped, [i], Above));
keep(null, (i) => Reflect.construct(Date, [i], Object));

// Symbol.toStringTag: own, inherited, an accessor, no string, of many.
keep(null, () => ({ [Symbol.toStringTag]: 'OwnTag' }));
class Tagged {
  get [Symbol.toStringTag]() {
    return 'AccessorTag';
  }
}
keep(null, () => new Tagged());
class TaggedData {}
TaggedData.prototype[Symbol.toStringTag] = 'DataTag';
keep(null, () => new TaggedData());
class TaggedNumber {}
TaggedNumber.prototype[Symbol.toStringTag] = 42;
keep(null, () => new TaggedNumber());
class TaggedMap extends Map {}
Object.defineProperty(TaggedMap.prototype, Symbol.toStringTag, { value: 'DataTagMap' });
keep(null, () => new TaggedMap());
class TaggedBelow extends TaggedData {}
keep(null, () => new TaggedBelow());
keep(null, () => Object.assign(new Wrapped(1), { [Symbol.toStringTag]: 'InstanceTag' }));
keep(null, () => {
  const dictionary = Object.create(null);
  for (let k = 0; k < 40; k++) dictionary[`key ${k}`] = k;
  dictionary[Symbol.toStringTag] = 'DictionaryTag';
  return dictionary;
});
keep(null, () => ({ [Symbol.toStringTag]: '' }));

// Mixins, class factories, fields.
const Mixin = (Base) => class Mixed extends Base {};
class MixedAbove extends Mixin(Above) {}
keep('MixedAbove', () => new MixedAbove());
const factory = (n) => class Numbered { field() { return n; } };
const numbered = [factory(1), factory(2)];
keep('Numbered', () => new numbered[0]());
keep('Numbered', () => new numbered[1]());
class Fields {
  a = 1;
  #b = { hidden: true };
  c = this.#b;
}
keep('Fields', () => new Fields());
attempt(() => {
  const Methods = new Function(
    'return class PrivateMethods { #m() { return 1; } get #g() { return this.#m(); } static #s = 2; x = this.#g; }'
  )();
  keep('PrivateMethods', () => new Methods());
});
attempt(() => {
  const WithStatic = new Function('return class StaticBlock { static n; static { this.n = 1; } }')();
  keep('StaticBlock', () => new WithStatic());
});
attempt(() => {
  const Accessors = new Function('return class WithNull extends null { static make() { return Object.create(this.prototype); } }')();
  keep(null, () => Accessors.make());
});

// Other realms.
const context = vm.createContext({ out: [] });
vm.runInContext('class Foreign { constructor(i) { this.i = i; } } class ForeignMap extends Map {} this.Foreign = Foreign; this.ForeignMap = ForeignMap', context);
keep('Foreign', (i) => new context.Foreign(i));
keep('ForeignMap', () => new context.ForeignMap());
keep(null, () => vm.runInContext('({ plain: true })', context));
keep(null, () => vm.runInContext('[1, 2]', context));
keep(null, () => vm.runInContext('new Error("foreign")', context));
keep(null, () => vm.runInContext('(class extends out.constructor {})', context));

// Generators and iterators of every kind.
function* counting() {
  yield 1;
}
async function* countingLater() {
  yield 1;
}
keep(null, () => counting());
keep(null, () => countingLater());
keep(null, () => {
  const g = counting();
  g.next();
  return g;
});
keep(null, () => [1][Symbol.iterator]());
keep(null, () => [1].entries());
keep(null, () => 'text'[Symbol.iterator]());
keep(null, () => new Map([[1, 2]]).entries());
keep(null, () => new Map([[1, 2]]).keys());
keep(null, () => new Set([1]).values());
keep(null, () => 'a'.matchAll(/a/g));
keep(null, () => new Uint8Array(2).values());
attempt(() => {
  [1].values().map((x) => x);
  keep(null, () => [1].values().map((x) => x));
  keep(null, () => [1].values().filter(() => true));
  keep(null, () => Iterator.from({ next() {} }));
  class GuestIterator extends Iterator {}
  keep('GuestIterator', () => new GuestIterator());
});
attempt(() => {
  new Intl.Segmenter('en');
  keep(null, () => new Intl.Segmenter('en'));
});
keep(null, () => new Intl.NumberFormat('en'));
attempt(() => keep(null, () => new Intl.DateTimeFormat('en')));
(function () {
  const args = arguments;
  keep(null, () => (function () { return arguments; })(1, 2, args));
})();
keep(null, () => new Function('return (function sloppy(a) { return arguments })(1)')());

// Hostile names.
const computed = (name) => ({ [name]: class {} }[name]);
// Known where it is parsed, so that it is the function's own.
const literal = (name) => new Function(`return { ${JSON.stringify(name)}: class {} }`)()[name];
for (const name of [
  'escape\u001b[31mred\u001b[0m',
  'line\nfeed\r\ttab',
  'nul\0inside',
  'bidi\u202eevil\u202c',
  'zero\u200bwidth',
  'quote"and\\slash\'s',
  'two-byte \u0416\u4e2d',
  'astral \u{1f600}',
  'lone \ud800 surrogate',
  ' leading space',
  'latin1 \xe9\xff',
  '<Object: Object>',
  '(String)',
  '(Array)',
  'Array',
  'constructor',
  '__proto__',
  'system / Context',
  '0x1234',
  '-n',
  ' ',
  'x'.repeat(3000),
  'y'.repeat(100000),
]) {
  for (const C of [computed(name), literal(name)]) {
    if (typeof C === 'function') keep(null, () => new C());
  }
}

// Shapes: dictionary prototypes, slack tracking, frozen, large, many properties, odd elements.
class Slow {}
for (let i = 0; i < 1500; i++) Slow.prototype[`method${i}`] = () => i;
delete Slow.prototype.method7;
keep('Slow', () => new Slow());
keep('SlackOnce', () => {
  class SlackOnce {
    constructor() {
      this.a = 1;
    }
  }
  return new SlackOnce();
});
class Frozen {
  constructor(i) {
    this.i = i;
    Object.freeze(this);
  }
}
keep('Frozen', (i) => new Frozen(i));
keep('Sealed', () => Object.seal(new (class Sealed { constructor() { this.a = {}; } })()));
keep('Unextended', () => Object.preventExtensions(new (class Unextended {})()));
class Wide {
  constructor(i) {
    for (let k = 0; k < 1100; k++) this[`p${k}`] = i;
  }
}
keep('Wide', (i) => new Wide(i));
class Emptied {
  constructor() {
    this.a = 1;
    this.b = 2;
    delete this.a;
  }
}
keep('Emptied', () => new Emptied());
class Indexed {
  constructor(i) {
    this[i] = i;
    this[5000000 + i] = i;
  }
}
keep('Indexed', (i) => new Indexed(i));
class HugeList extends Array {}
keep('HugeList', () => new HugeList(20000).fill(0.5));
// An object so large that it has a page of its own.
const largeFields = Array.from({ length: 1000 }, (_, i) => `this.f${i}=i;`).join('');
const Large = new Function(`return class Large { constructor(i) { ${largeFields} } }`)();
keep('Large', (i) => new Large(i));
class Mutant {}
keep('Mutant', (i) => {
  const m = new Mutant();
  m[`only${i}`] = i;
  Object.defineProperty(m, 'hidden', { value: i, enumerable: false });
  Object.defineProperty(m, 'get', { get() { throw new Error('not to be run'); } });
  return m;
});
class Indirect {
  constructor() {
    return new Wrapped(1);
  }
}
keep('Wrapped', () => new Indirect());

// Functions and patterns, which the snapshot names in other ways.
class GuestFunction extends Function {}
keep('GuestFunction', () => new GuestFunction('return 1'));
class GuestPattern extends RegExp {}
keep('GuestPattern', (i) => new GuestPattern(`guest-${i}`));

globalThis.held = held;
globalThis.kinds = [context, anonymous, shelf];
if (typeof gc === 'function') gc();
tell({ program: 'guests', made });
const end = lastStep();
setTimeout(function last() {
  void new Error('here').stack;
  v8.writeHeapSnapshot('guests.heapsnapshot');
  end();
}, 500);
