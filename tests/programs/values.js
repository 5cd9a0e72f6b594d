// Holds a value of every kind under a known name, and tells what it knows of each.
// usage: values.js [--wait]    best with --expose-gc --expose-externalize-string --allow-natives-syntax
// The names are properties of `globalThis.held`; the last call, `finish(...)`, also passes the commonest.
// Each is told on a line: {name, ...what describe.js says, debugger: what V8's debugger says, modes: ...}.
const fs = require('fs');
const util = require('util');
const vm = require('vm');
const { tell, lastStep } = require('./truth.js');
const { describe, debuggerSays } = require('./describe.js');

const held = {};
globalThis.held = held;
// More that is known of a value than it can be asked: by name.
const known = {};

function hold(name, value, more) {
  if (name in held) throw new Error(`twice: ${name}`);
  held[name] = value;
  if (more) known[name] = more;
}
// Asking some values changes them, so another of the same making is asked in their place.
const twins = {};
function holdTwin(name, kept, asked, more) {
  hold(name, kept, more);
  twins[name] = asked;
}
// For what not every release has: left out where it does not parse, is not there or fails.
const absent = [];
function holdIf(name, code, more) {
  let value;
  try {
    value = new Function('require', 'held', `return (${code});`)(require, held);
  } catch (error) {
    absent.push({ name, why: String(error.message) });
    return;
  }
  if (value === undefined) absent.push({ name, why: 'undefined' });
  else hold(name, value, more);
}

// V8's own words on how a value is stored, where --allow-natives-syntax lets us ask.
const asked = {};
for (const word of ['HasFastProperties', 'HasSmiElements', 'HasObjectElements', 'HasDoubleElements', 'HasHoleyElements',
  'HasDictionaryElements', 'HasPackedElements', 'HasSloppyArgumentsElements']) {
  try {
    asked[word] = new Function('value', `return %${word}(value);`);
  } catch (_) {
    // Not asked then.
  }
}
function modes(value) {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || util.types.isProxy(value)) return null;
  const all = {};
  for (const word of Object.keys(asked)) {
    try {
      all[word] = asked[word](value);
    } catch (_) {
      // The word is there, the function is not.
    }
  }
  return Object.keys(all).length ? all : null;
}

// --- Numbers, oddballs, BigInts, symbols ------------------------------------------------------------------

const numbers = {
  smi_zero: 0, smi_one: 1, smi_minus_one: -1, smi_42: 42, smi_max: 2147483647, smi_min: -2147483648,
  int_past_smi: 2147483648, int_before_smi: -2147483649, int_safe_max: Number.MAX_SAFE_INTEGER, int_2_64: 2 ** 64,
  double_half: 0.5, double_pi: Math.PI, double_tenth: 0.1, double_negative: -123.456, double_1e21: 1e21, double_1e_7: 1e-7,
  double_max: Number.MAX_VALUE, double_min: Number.MIN_VALUE, minus_zero: -0, not_a_number: NaN,
  infinity: Infinity, minus_infinity: -Infinity,
};
for (const name of Object.keys(numbers)) hold(`number_${name}`, numbers[name]);
hold('true', true);
hold('false', false);
hold('null', null);
hold('undefined', undefined);
for (const [name, text] of Object.entries({
  zero: '0', one: '1', minus_one: '-1', max_64: '18446744073709551615', min_64: '-9223372036854775808',
  past_64: '18446744073709551616', long: '123456789012345678901234567890123456789012345678901234567890',
  long_negative: '-340282366920938463463374607431768211456',
})) hold(`bigint_${name}`, BigInt(text));
hold('bigint_computed', BigInt(2) ** BigInt(1000));
hold('symbol_described', Symbol('described'));
hold('symbol_empty', Symbol(''));
hold('symbol_none', Symbol());
hold('symbol_two_byte', Symbol('žluťoučký'));
hold('symbol_registered', Symbol.for('registered'));
hold('symbol_well_known', Symbol.iterator);

// --- Strings ----------------------------------------------------------------------------------------------
// Looking at a string can change its form, so each is made twice: one is told, the other is held.

const stringMakers = {
  empty: () => '',
  one_char: () => 'x',
  one_char_latin1: () => 'é',
  one_char_two_byte: () => 'λ',
  literal: () => 'a literal, internalized',
  integer_index: () => '12345',
  integer_large: () => '4294967295',
  latin1: () => ['caf', 'é au lait', '!'].join(''),
  two_byte: () => ['Зд', 'равствуй ', 'мир'].join(''),
  emoji: () => ['wave ', '\u{1F44B}', ' globe ', '\u{1F30D}'].join(''),
  lone_high_surrogate: () => ['lone ', '\ud800', ' high'].join(''),
  lone_low_surrogate: () => ['lone ', '\udc00', ' low'].join(''),
  controls: () => ['tab\t', 'newline\n', 'return\r', 'nul\0', 'bell\x07', 'escape\x1b[31mred\x1b[0m', 'del\x7f', 'csi\x9b'].join('|'),
  quotes: () => ['single \' ', 'double " ', 'back ` ', 'slash \\'].join(''),
  line_separators: () => ['a\u2028', 'b\u2029', 'c\ufeff'].join(''),
  right_to_left: () => ['override \u202e', 'txt.exe'].join(''),
  sequential: () => Buffer.from('sequential one byte, not internalized').toString('latin1'),
  sequential_two_byte: () => Buffer.from('последовательность', 'utf16le').toString('utf16le'),
  long: () => 'ab'.repeat(1000).split('').join(''),
  very_long: () => Buffer.alloc(100000, 'long text ').toString('latin1'),
};
// What cannot be known by the text alone: the form it is in.
const stringForms = {
  cons: () => `${held.string_sequential} and more`.concat(held.string_latin1),
  cons_two_byte: () => held.string_sequential + held.string_two_byte,
  cons_deep: () => {
    let all = held.string_sequential;
    for (let i = 0; i < 200; i++) all = i & 1 ? all + `<${i}` : `${i}>` + all;
    return all;
  },
  cons_left_deep: () => {
    let all = held.string_sequential;
    for (let i = 0; i < 5000; i++) all += '.';
    return all;
  },
  sliced: () => held.string_very_long.slice(11, 60),
  sliced_two_byte: () => held.string_two_byte_long.slice(3, 50),
  sliced_to_end: () => held.string_very_long.slice(99950),
};
function makeThin(text) {
  const made = Buffer.from(text, 'utf16le').toString('utf16le');
  // Used as a key, it gives way to the internalized string of the same text.
  const table = {};
  table[made] = 1;
  return made;
}
for (const name of Object.keys(stringMakers)) hold(`string_${name}`, stringMakers[name]());
hold('string_two_byte_long', Buffer.from('ďábelské ódy '.repeat(100), 'utf16le').toString('utf16le'));
const stringTexts = {};
for (const name of Object.keys(stringForms)) {
  stringTexts[name] = stringForms[name]();
  hold(`string_${name}`, stringForms[name](), { form: name.split('_')[0] });
}
const internalizedForThin = { 'thin in one byte text': 1, 'tenký řetězec dvoubajtový': 2 };
stringTexts.thin = Object.keys(internalizedForThin)[0];
stringTexts.thin_two_byte = Object.keys(internalizedForThin)[1];
const latin = Buffer.from('thin in one byte text', 'latin1').toString('latin1');
internalizedForThin[latin]++;
hold('string_thin', latin, { form: 'thin' });
hold('string_thin_two_byte', makeThin('tenký řetězec dvoubajtový'), { form: 'thin' });
hold('string_internalized', Object.keys({ internalized_key: 1 })[0], { form: 'internalized' });
if (typeof externalizeString === 'function') {
  const external = (name, text, twoByte) => {
    const made = Buffer.from(text, twoByte ? 'utf16le' : 'latin1').toString(twoByte ? 'utf16le' : 'latin1');
    try {
      // Newer releases refuse it for a young string.
      if (typeof gc === 'function') {
        held.string_waiting = made;
        gc();
        gc();
        delete held.string_waiting;
      }
      externalizeString(made, twoByte);
    } catch (error) {
      absent.push({ name: `string_${name}`, why: String(error.message) });
      return;
    }
    stringTexts[name] = text;
    hold(`string_${name}`, made, { form: 'external' });
  };
  external('external', 'external one byte text', false);
  external('external_two_byte', 'vnější řetězec dvoubajtový', true);
}

// --- Plain objects ----------------------------------------------------------------------------------------

hold('object_empty', {});
hold('object_fast', { a: 1, b: 'two', c: null, d: undefined, e: true });
hold('object_doubles', { x: 1.5, y: -0, z: NaN, w: 2147483648, v: 1e300 });
hold('object_double_then_smi', (() => {
  // The field is a double for all, though this one was given an integer.
  const made = (x) => ({ shared_x: x, shared_y: 1 });
  made(1.5);
  return made(7);
})());
holdTwin('object_deprecated', ...(() => {
  // Its shape has been replaced since: the first objects keep the old map until they are touched.
  const made = (p) => ({ deprecated_p: p, deprecated_q: 1 });
  const old = [made(1), made(1)];
  made(1.5);
  return old;
})());
hold('object_mutable_double', (() => {
  const made = { count_seconds: 0.5, other: 1 };
  for (let i = 0; i < 10; i++) made.count_seconds += 0.25;
  return made;
})());
hold('object_mutable', (() => {
  const made = { now: 'first' };
  made.now = 'second';
  made.now = { nested: [1, 2] };
  return made;
})());
hold('object_out_of_object', (() => {
  const made = {};
  for (let i = 0; i < 60; i++) made[`property_${i}`] = i % 3 === 0 ? i : i % 3 === 1 ? i + 0.5 : `value ${i}`;
  return made;
})());
hold('object_dictionary', (() => {
  const made = { gone: 0 };
  for (let i = 0; i < 30; i++) made[`key ${i}`] = i % 2 ? `value ${i}` : i * 1.5;
  delete made.gone;
  delete made['key 3'];
  return made;
})());
hold('object_dictionary_large', (() => {
  const made = Object.create(null);
  for (let i = 0; i < 2000; i++) made[`k${i}`] = i;
  return made;
})());
hold('object_dictionary_by_delete', (() => {
  const made = { a: 1, b: 2.5, c: 'three' };
  delete made.a;
  return made;
})());
hold('object_null_prototype', Object.assign(Object.create(null), { key: 'value', other: 1.25 }));
hold('object_null_prototype_empty', Object.create(null));
hold('object_prototype_of_other', Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } }));
hold('object_set_prototype', Object.setPrototypeOf({ own: 1 }, { changed: true }));
hold('object_accessors', {
  get readable() {
    throw new Error('a getter was called');
  },
  set writable(value) {},
  get both() {
    throw new Error('a getter was called');
  },
  set both(value) {},
  plain: 1,
});
hold('object_accessors_dictionary', (() => {
  const made = { gone: 1, get readable() {
    throw new Error('a getter was called');
  } };
  delete made.gone;
  Object.defineProperty(made, 'late', { get() {
    throw new Error('a getter was called');
  }, enumerable: true, configurable: true });
  return made;
})());
hold('object_attributes', Object.defineProperties({}, {
  hidden: { value: 1, enumerable: false, writable: true, configurable: true },
  read_only: { value: 'r', enumerable: true, writable: false, configurable: true },
  permanent: { value: 2.5, enumerable: true, writable: true, configurable: false },
  nothing: { value: null },
}));
hold('object_symbol_keys', { [Symbol('one')]: 1, [Symbol()]: 'none', [Symbol.toStringTag]: 'Tagged', plain: 2, [Symbol.for('three')]: 3 });
hold('object_strange_keys', { '': 'empty', 'with space': 1, 'ключ': 2, 'a\nb': 3, '-1': 4, '1.5': 5, '4294967295': 6, '01': 7, __proto__x: 8, constructor: 9 });
hold('object_elements', { 0: 'zero', 1: 'one', 5: 5.5, name: 'named', 100: null });
hold('object_elements_sparse', { 7: 'seven', 100000: 'far', 4294967294: 'last', x: 1 });
hold('object_frozen', Object.freeze({ a: 1, b: 'two', c: 2.5 }));
hold('object_sealed', Object.seal({ a: 1, b: 'two', c: 2.5 }));
hold('object_not_extensible', Object.preventExtensions({ a: 1, b: 'two', c: 2.5 }));
hold('object_circular', (() => {
  const made = { name: 'circular' };
  made.self = made;
  made.list = [made];
  return made;
})());
hold('object_nested', { a: { b: { c: { d: [1, { e: 'deep' }] } } } });
hold('object_constructor_property', { constructor: 'not a function', toString: null });
hold('object_all_in_one', { 0: 'element', [Symbol('s')]: 1, n: 1.5, s: 'text', f() {}, get g() {
  throw new Error('a getter was called');
}, a: [1], o: {}, u: undefined });

// --- Elements of every kind -------------------------------------------------------------------------------

const sparse = [];
sparse[3] = 'three';
sparse[50000] = 'far';
hold('array_empty', []);
hold('array_smi', [1, 2, 3]);
hold('array_smi_holey', [1, , 3, , 5]);
hold('array_double', [1.5, 2.5, -0, NaN, Infinity]);
hold('array_double_holey', [1.5, , NaN, , -Infinity]);
hold('array_double_undefined', (() => {
  const made = [1.5, 2.5, , 4.5];
  made[1] = undefined;
  return made;
})());
hold('array_objects', ['one', null, undefined, true, { a: 1 }, [2], 3, 4.5, 5n, Symbol('s')]);
hold('array_objects_holey', ['one', , { a: 1 }, , undefined]);
hold('array_dictionary', sparse);
hold('array_dictionary_accessor', Object.defineProperty([1, 2, 3], 1, { get() {
  throw new Error('a getter was called');
} }));
hold('array_dictionary_attributes', Object.defineProperty(['a', 'b', 'c'], 2, { writable: false, enumerable: false }));
hold('array_only_holes', new Array(5));
hold('array_length_huge', Object.assign(new Array(4294967295), { 4294967290: 'near the end' }));
hold('array_grown', (() => {
  const made = [];
  for (let i = 0; i < 100; i++) made.push(i * 2);
  return made;
})());
hold('array_shrunk', (() => {
  const made = Array.from({ length: 100 }, (_, i) => `e${i}`);
  made.length = 3;
  return made;
})());
hold('array_shifted', (() => {
  const made = Array.from({ length: 100 }, (_, i) => i);
  for (let i = 0; i < 90; i++) made.shift();
  return made;
})());
hold('array_long', Array.from({ length: 10000 }, (_, i) => i));
hold('array_frozen', Object.freeze([1, 'two', 3.5]));
hold('array_sealed', Object.seal([1, 'two', 3.5]));
hold('array_not_extensible', Object.preventExtensions([1, 'two', 3.5]));
hold('array_frozen_holey', Object.freeze(['a', , 'c']));
hold('array_frozen_double', Object.freeze([1.5, 2.5]));
hold('array_with_properties', Object.assign([1, 2], { extra: 'property', [Symbol('s')]: 1 }));
hold('array_nested', [[1, [2, [3]]], []]);
hold('array_copy_on_write', (() => [10, 20, 30])());
hold('array_length_read_only', Object.defineProperty([1, 2], 'length', { writable: false }));
hold('array_template', ((strings) => strings)`raw\n${1}and ${2}`);

// --- Classes and instances --------------------------------------------------------------------------------

class Point {
  constructor(x, y) {
    this.x = x;
    this.y = y;
  }
  get length() {
    throw new Error('a getter was called');
  }
}
class Point3 extends Point {
  constructor(x, y, z) {
    super(x, y);
    this.z = z;
    this.label = `at ${z}`;
  }
}
class Fields {
  first = 1;
  second = 'two';
  [`computed${1}`] = 2.5;
  static shared = 'static value';
}
function OldStyle(name) {
  this.name = name;
}
OldStyle.prototype.greet = function () {};
class SubMap extends Map {}
class SubSet extends Set {}
class SubArray extends Array {}
class SubError extends Error {}
class SubPromise extends Promise {}
class SubDate extends Date {}
class SubRegExp extends RegExp {}
class SubBytes extends Uint8Array {}
class SubFunction extends Function {}
class SubNumber extends Number {}
class SubBuffer extends ArrayBuffer {}
class SubWeakMap extends WeakMap {}
class NullBase extends null {}
hold('instance', new Point(1, 2.5));
hold('instance_derived', new Point3(1, 'y', 3));
hold('instance_fields', new Fields());
hold('instance_old_style', new OldStyle('old'));
hold('instance_no_constructor_property', (() => {
  function Replaced() {
    this.a = 1;
  }
  Replaced.prototype = { plain: true };
  return new Replaced();
})());
hold('instance_anonymous_class', new (class {
  constructor() {
    this.anonymous = true;
  }
})());
hold('instance_dictionary', (() => {
  const made = new Point(1, 2);
  for (let i = 0; i < 200; i++) made[`p${i}`] = i;
  return made;
})());
hold('instance_name_static', new (class Named {
  static name = 'renamed';
  value = 1;
})());
hold('class_base', Point);
hold('class_derived', Point3);
hold('class_fields', Fields);
hold('class_null_base', NullBase);
hold('class_prototype', Point.prototype);
hold('class_anonymous', (() => class {})());
holdIf('instance_private', `new (class Private {
  #hidden = 'secret'; #count = 1.5; open = 1;
  #method() { return this.#hidden; } get #accessor() { return this.#count; } use() { return this.#method() + this.#accessor; }
})()`, { private: { '#hidden': 'secret', '#count': 1.5 } });
holdIf('instance_private_fields', `new (class PrivateFields {
  #hidden = 'secret'; #count = 1.5; open = 1;
})()`, { private: { '#hidden': 'secret', '#count': 1.5 } });
holdIf('class_private_static', 'class StaticPrivate { static #hidden = 7; static #method() {} static open = 1; static use() { return this.#method() || this.#hidden; } }');
holdIf('class_static_block', 'class StaticBlock { static made; static { this.made = { by: "block" }; } }');
holdIf('instance_auto_accessor', '(() => { class A { static { this.x = 1; } #p = 1; has(o) { return #p in o; } } return new A(); })()');
hold('subclass_map', new SubMap([['k', 'v'], [1, { a: 1 }]]));
hold('subclass_set', new SubSet(['m', 2]));
hold('subclass_array', SubArray.of(1, 'two', 3));
hold('subclass_error', new SubError('of a subclass'));
hold('subclass_promise', SubPromise.resolve('by subclass'));
hold('subclass_date', new SubDate(1e12));
hold('subclass_regexp', new SubRegExp('sub', 'g'));
hold('subclass_bytes', new SubBytes([1, 2, 3]));
hold('subclass_function', new SubFunction('a', 'return a'));
hold('subclass_number', new SubNumber(12));
hold('subclass_arraybuffer', new SubBuffer(3));
hold('subclass_weakmap', new SubWeakMap([[held.object_empty, 1]]));

// --- Functions and what they see --------------------------------------------------------------------------

hold('function_declared', OldStyle);
hold('function_never_called', function neverCalled(a, b) {
  return a + b;
});
hold('function_called', (() => {
  function called(a) {
    return a;
  }
  for (let i = 0; i < 10; i++) called(i);
  return called;
})());
hold('function_anonymous', (() => function () {})());
hold('function_arrow', (() => (a) => a)());
hold('function_arrow_named', (() => {
  const named = () => 1;
  return named;
})());
hold('function_async', async function asyncFunction() {
  await null;
});
hold('function_async_arrow', async () => {});
hold('function_generator', function* generatorFunction() {
  yield 1;
});
hold('function_async_generator', async function* asyncGeneratorFunction() {
  yield 1;
});
hold('function_method', { method() {} }.method);
hold('function_computed_method', { ['com' + 'puted']() {} }.computed);
hold('function_symbol_method', { [Symbol.iterator]() {} }[Symbol.iterator]);
hold('function_getter', Object.getOwnPropertyDescriptor(held.object_accessors, 'readable').get);
hold('function_setter', Object.getOwnPropertyDescriptor(held.object_accessors, 'writable').set);
hold('function_static_method', class {
  static staticMethod() {}
}.staticMethod);
hold('function_builtin', Math.max);
hold('function_builtin_constructor', Map);
hold('function_builtin_prototype_method', Array.prototype.map);
hold('function_native', process.cwd);
hold('function_api', process.hrtime);
hold('function_bound', function boundTarget(a, b, c) {
  return [this, a, b, c];
}.bind({ bound_this: 1 }, 'bound argument', 2));
hold('function_bound_twice', held.function_bound.bind(null, 'third'));
hold('function_bound_builtin', Math.max.bind(null, 1));
hold('function_new_function', new Function('a', 'b', 'return a * b'));
hold('function_eval', (0, eval)('(function inEval() { return 1; })\n//# sourceURL=named-by-url.js'));
hold('function_vm', vm.runInThisContext('(function inVm() { return 1; })', { filename: 'virtual-file.js', lineOffset: 10, columnOffset: 5 }));
hold('function_with_properties', Object.assign(function withProperties() {}, { extra: 1, other: 'two' }));
hold('function_renamed', Object.defineProperty(function before() {}, 'name', { value: 'after' }));
hold('function_name_deleted', (() => {
  const made = function deleted() {};
  delete made.name;
  return made;
})());
hold('function_default_parameters', function defaults(a, b = 2, { c, d } = {}, ...others) {
  return [a, b, c, d, others];
});
hold('closure', (() => {
  const captured_text = 'captured';
  let captured_number = 1;
  captured_number += 0.5;
  const captured_object = { of: 'closure' };
  const not_captured = 'not captured';
  return function seesOuter() {
    return [captured_text, captured_number, captured_object];
  };
})(), { sees: { captured_text: 'captured', captured_number: 1.5, captured_object: '[object]' } });
hold('closure_nested', (() => {
  const outer_variable = 'outer';
  return (() => {
    const middle_variable = ['middle'];
    {
      const block_variable = 3;
      return function innermost() {
        return [outer_variable, middle_variable, block_variable];
      };
    }
  })();
})(), { sees: { block_variable: 3, middle_variable: '[object]', outer_variable: 'outer' } });
hold('closure_parameters', ((first_parameter, second_parameter) => () => [first_parameter, second_parameter])('one', 2), {
  sees: { first_parameter: 'one', second_parameter: 2 },
});
hold('closure_loop', (() => {
  const made = [];
  for (let loop_variable = 0; loop_variable < 3; loop_variable++) made.push(() => loop_variable);
  return made[1];
})(), { sees: { loop_variable: 1 } });
hold('closure_catch', (() => {
  try {
    throw new Error('caught');
  } catch (caught_error) {
    return () => caught_error;
  }
})());
hold('closure_eval', (() => {
  var seen_by_eval = 1;
  eval('var made_by_eval = 2');
  return function usesEval(code) {
    return eval(code) + seen_by_eval;
  };
})());
hold('closure_with', (() => {
  with ({ in_with: 1 }) return function usesWith() {
    return in_with;
  };
})());
hold('closure_many', (() => {
  let v0 = 0, v1 = 1, v2 = 2, v3 = 3, v4 = 4, v5 = 5, v6 = 6, v7 = 7, v8 = 8, v9 = 9, v10 = 10, v11 = 11;
  let v12 = '12', v13 = '13', v14, v15 = null;
  return () => [v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15];
})());
hold('closure_very_many', new Function(`${Array.from({ length: 100 }, (_, i) => `let w${i} = ${i};`).join('')}
  return () => [${Array.from({ length: 100 }, (_, i) => `w${i}`).join(',')}];`)());
hold('closure_uninitialized', (() => {
  const made = () => not_yet;
  if (Math.random() > 2) {
    throw made;
  }
  return [made, null][0];
  // eslint-disable-next-line no-unreachable
  let not_yet = 1;
})());

// --- Collections ------------------------------------------------------------------------------------------

const keyObject = { key: 'object' };
globalThis.keyObject = keyObject;
hold('map_empty', new Map());
hold('map', new Map([['a', 1], [2, 'two'], [keyObject, { v: 1 }], [null, undefined], [NaN, -0], [1.5, 2.5], [10n, Symbol('s')]]));
hold('map_deleted', (() => {
  const made = new Map();
  for (let i = 0; i < 20; i++) made.set(`k${i}`, i);
  for (let i = 0; i < 20; i += 2) made.delete(`k${i}`);
  return made;
})());
hold('map_cleared', (() => {
  const made = new Map([[1, 2]]);
  made.clear();
  return made;
})());
hold('map_large', new Map(Array.from({ length: 5000 }, (_, i) => [i, `v${i}`])));
hold('map_with_properties', Object.assign(new Map([[1, 1]]), { extra: 'property' }));
hold('set_empty', new Set());
hold('set', new Set(['a', 1, keyObject, null, undefined, NaN, 2.5]));
hold('set_deleted', (() => {
  const made = new Set(Array.from({ length: 20 }, (_, i) => i));
  for (let i = 0; i < 20; i += 3) made.delete(i);
  return made;
})());
hold('set_large', new Set(Array.from({ length: 5000 }, (_, i) => `m${i}`)));
hold('weakmap', new WeakMap([[keyObject, 'weak value'], [held.object_fast, { v: 2 }]]), { entries: [['keyObject', 'weak value'], ['object_fast', '[object]']] });
hold('weakmap_empty', new WeakMap());
hold('weakset', new WeakSet([keyObject, held.object_empty]), { members: ['keyObject', 'object_empty'] });
holdIf('weakref', 'new WeakRef(globalThis.keyObject)', { target: 'keyObject' });
holdIf('weakref_cleared', 'new WeakRef({ will: "die" })', { target: null, after: 'gc' });
holdIf('finalization_registry', '(() => { const r = new FinalizationRegistry(function cleanup() {}); r.register(globalThis.keyObject, "held value"); return r; })()');
hold('map_iterator', (() => {
  const made = held.map.entries();
  made.next();
  return made;
})());
hold('set_iterator', (() => {
  const made = held.set.values();
  made.next();
  made.next();
  return made;
})());
hold('map_iterator_done', (() => {
  const made = held.map_empty.keys();
  made.next();
  return made;
})());
hold('array_iterator', (() => {
  const made = held.array_smi[Symbol.iterator]();
  made.next();
  return made;
})());
hold('string_iterator', 'iterated'[Symbol.iterator]());
hold('regexp_string_iterator', 'aXbX'.matchAll(/X/g));
holdIf('iterator_helper', '[1, 2].values().map((x) => x)');

// --- Promises, generators ---------------------------------------------------------------------------------

hold('promise_pending', new Promise(() => {}), { state: 'pending' });
hold('promise_fulfilled', Promise.resolve('fulfilled value'), { state: 'fulfilled', value: 'fulfilled value' });
hold('promise_fulfilled_double', Promise.resolve(1.5), { state: 'fulfilled', value: 1.5 });
hold('promise_rejected', Promise.reject(new Error('rejection reason')), { state: 'rejected' });
held.promise_rejected.catch(() => {});
hold('promise_with_reactions', (() => {
  const made = new Promise(() => {});
  made.then(function onFulfilled() {}, function onRejected() {});
  made.finally(function onFinally() {});
  return made;
})(), { state: 'pending' });
hold('promise_of_async', (async function suspendedAsync(argument) {
  const local = 'local of the suspended';
  await new Promise(() => {});
  return [local, argument];
})('its argument'), { state: 'pending' });
hold('promise_all', Promise.all([new Promise(() => {}), 1]), { state: 'pending' });
hold('promise_rejected_unhandled_value', Promise.reject(42), { state: 'rejected', value: 42 });
held.promise_rejected_unhandled_value.catch(() => {});
function* counting(from) {
  let local = from * 2;
  local += yield local;
  yield [local, 'second'];
}
hold('generator_start', counting(1), { state: 'suspended' });
hold('generator_suspended', (() => {
  const made = counting(5);
  made.next();
  made.next(1);
  return made;
})(), { state: 'suspended' });
hold('generator_closed', (() => {
  const made = counting(5);
  for (const one of made) void one;
  return made;
})(), { state: 'closed' });
async function* asyncCounting() {
  yield 1;
  yield 2;
}
hold('async_generator_start', asyncCounting(), { state: 'suspended' });
hold('async_generator_suspended', (() => {
  const made = asyncCounting();
  made.next();
  return made;
})());

// --- Proxies ----------------------------------------------------------------------------------------------

hold('proxy', new Proxy(held.object_fast, { get() {
  throw new Error('a trap was called');
} }), { target: 'object_fast' });
hold('proxy_function', new Proxy(function proxied() {}, {}));
hold('proxy_array', new Proxy([1, 2], {}));
hold('proxy_of_proxy', new Proxy(held.proxy, {}), { target: 'proxy' });
hold('proxy_revoked', (() => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
})(), { revoked: true });

// --- Dates, regular expressions, errors, boxed primitives, arguments --------------------------------------

hold('date', new Date(Date.UTC(2019, 1, 28, 12, 34, 56, 789)));
hold('date_epoch', new Date(0));
hold('date_before_epoch', new Date(-1));
hold('date_far', new Date(8.64e15));
hold('date_far_past', new Date(-8.64e15));
hold('date_invalid', new Date(NaN));
hold('date_used', (() => {
  const made = new Date(1e12);
  made.getFullYear();
  made.toString();
  return made;
})());
hold('regexp', /regexp/);
hold('regexp_flags', /with (flags) and \/ slash\n/gimsuy);
hold('regexp_last_index', (() => {
  const made = /a/g;
  made.exec('bab');
  return made;
})());
hold('regexp_empty', new RegExp(''));
hold('regexp_two_byte', /[а-я]+/u);
holdIf('regexp_indices', 'new RegExp("a", "d")');
holdIf('regexp_sets', 'new RegExp("[a--b]", "v")');
hold('regexp_match', /(?<year>\d+)-(\d+)/.exec('in 2019-02'));

class CodedError extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}
// Its stack is told as text too, from an error made at the same place.
function makeError(Kind, ...args) {
  return new Kind(...args);
}
function twoErrors(...args) {
  const made = [];
  for (let i = 0; i < 2; i++) made.push(makeError(...args));
  return made;
}
for (const [name, args] of Object.entries({
  error: [Error, 'a message'],
  error_empty: [Error],
  error_type: [TypeError, 'a type error'],
  error_range: [RangeError, 'a range error'],
  error_coded: [CodedError, 'with a code', 'ERR_CODED'],
  error_two_byte: [Error, 'zpráva žluť'],
})) {
  const [kept, told] = twoErrors(...args);
  holdTwin(name, kept, told, { stack: told.stack });
}
hold('error_stack_read', (() => {
  const made = new Error('its stack was read');
  known.error_stack_read_text = made.stack;
  return made;
})());
hold('error_stack_set', Object.assign(new Error('its stack was set'), { stack: 'a stack that was set' }), { stack: 'a stack that was set' });
hold('error_with_properties', Object.assign(new Error('with properties'), { errno: -2, code: 'ENOENT', syscall: 'open', path: '/nowhere' }));
hold('error_system', (() => {
  try {
    fs.readFileSync('/no/such/file');
  } catch (error) {
    return error;
  }
  return null;
})());
hold('error_thrown_by_v8', (() => {
  try {
    null.property;
  } catch (error) {
    return error;
  }
  return null;
})());
hold('error_prepared', (() => {
  const { prepareStackTrace } = Error;
  Error.prepareStackTrace = (error, sites) => sites.length;
  const made = new Error('prepared');
  void made.stack;
  Error.prepareStackTrace = prepareStackTrace;
  return made;
})());
hold('error_captured', (() => {
  const made = { name: 'not an error' };
  Error.captureStackTrace(made);
  return made;
})());
holdIf('error_cause', 'new Error("with a cause", { cause: new TypeError("the cause") })', { cause: 'the cause' });
holdIf('error_cause_value', 'new Error("with a cause", { cause: "text" })', { cause: 'text' });
holdIf('error_aggregate', 'new AggregateError([new Error("one"), "two"], "of many")', { errors: 2 });
holdIf('error_dom_exception', 'new DOMException("a message", "AbortError")');
hold('boxed_number', Object(1));
hold('boxed_double', Object(1.5));
hold('boxed_string', Object('boxed text'));
hold('boxed_string_with_properties', Object.assign(Object('abc'), { extra: 1, 10: 'ten' }));
hold('boxed_boolean', Object(false));
hold('boxed_symbol', Object(Symbol('boxed')));
hold('boxed_bigint', Object(12345678901234567890n));
hold('arguments_sloppy', (function (a, b) {
  return arguments;
})(1, 'two', 3.5));
hold('arguments_sloppy_mapped', (function (a, b) {
  b = 'changed through the parameter';
  globalThis.keepsParameters = () => [a, b];
  return arguments;
})(1, 'two', 3.5));
hold('arguments_sloppy_empty', (function () {
  return arguments;
})());
hold('arguments_sloppy_slow', (function (a, b) {
  delete arguments[0];
  arguments[50000] = 'far';
  globalThis.keepsParametersToo = () => b;
  return arguments;
})(1, 'two'));
hold('arguments_strict', (function (a, b) {
  'use strict';
  return arguments;
})(1, 'two', 3.5));

// --- Buffers ----------------------------------------------------------------------------------------------

const bytes = [1, 2, 3, 0, 255, 128, 127, 64, 10, 20, 30, 40, 50, 60, 70, 80];
const buffer = Uint8Array.from(bytes).buffer;
hold('arraybuffer', buffer);
hold('arraybuffer_empty', new ArrayBuffer(0));
hold('arraybuffer_large', new ArrayBuffer(1 << 20));
function detach(made) {
  const { port1, port2 } = new (require('worker_threads').MessageChannel)();
  port1.postMessage(null, [made]);
  port1.close();
  port2.close();
  return made;
}
hold('arraybuffer_detached', detach(new ArrayBuffer(8)), { detached: true });
hold('sharedarraybuffer', (() => {
  const made = new SharedArrayBuffer(16);
  new Uint8Array(made).set(bytes);
  return made;
})());
holdIf('arraybuffer_resizable', '(() => { const b = new ArrayBuffer(4, { maxByteLength: 64 }); if (!b.resizable) return undefined; new Uint8Array(b).set([1, 2, 3, 4]); b.resize(8); return b; })()');
holdIf('sharedarraybuffer_growable', '(() => { const b = new SharedArrayBuffer(4, { maxByteLength: 64 }); if (!b.growable) return undefined; b.grow(8); return b; })()');
holdIf('uint8array_tracking', '(() => { const b = held.arraybuffer_resizable; const made = b && new Uint8Array(b, 1); return made; })()');
holdIf('uint8array_out_of_bounds', '(() => { const b = new ArrayBuffer(16, { maxByteLength: 32 }); if (!b.resizable) return undefined; const made = new Uint8Array(b, 8, 8); b.resize(4); return made; })()');
for (const name of ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
  'Float16Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array']) {
  const Kind = globalThis[name];
  if (!Kind) {
    absent.push({ name: name.toLowerCase(), why: 'undefined' });
    continue;
  }
  const big = name.startsWith('Big');
  hold(name.toLowerCase(), Kind.from([1, 2, 250].map((one) => (big ? BigInt(one) : one))));
  hold(`${name.toLowerCase()}_on_buffer`, new Kind(buffer, 8, 8 / Kind.BYTES_PER_ELEMENT));
}
hold('float64array_special', Float64Array.of(-0, NaN, Infinity, 1.5));
hold('uint8array_large', new Uint8Array(100000).fill(7));
hold('uint8array_empty', new Uint8Array(0));
hold('uint8array_detached', (() => {
  const made = new Uint8Array(16);
  detach(made.buffer);
  return made;
})(), { detached: true });
hold('uint8array_shared', new Uint8Array(held.sharedarraybuffer, 2, 4));
hold('dataview', new DataView(buffer, 4, 8));
hold('buffer_pooled', Buffer.from('pooled buffer text'));
hold('buffer_own', Buffer.alloc(40, 'ab'));
hold('buffer_empty', Buffer.alloc(0));
hold('buffer_slice', held.buffer_own.slice(10, 20));

// --- Node's own, the global, and the rest -----------------------------------------------------------------

hold('global', globalThis);
hold('process', process);
hold('url', new URL('https://user:secret@host.example:8080/path?query=1#hash'), { href: 'https://user:secret@host.example:8080/path?query=1#hash' });
hold('urlsearchparams', new URLSearchParams('a=1&b=two'));
hold('emitter', new (require('events'))().on('happens', function onHappens() {}));
hold('timeout', setTimeout(function later() {}, 100000));
hold('text_decoder', new util.TextDecoder());
hold('stream', new (require('stream').PassThrough)());
hold('hash', require('crypto').createHash('sha256'));
hold('intl_number_format', new Intl.NumberFormat('en'));
hold('intl_date_format', new Intl.DateTimeFormat('en'));
hold('json', JSON);
hold('math', Math);
hold('reflect', Reflect);
hold('webassembly_module', new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)));
hold('webassembly_memory', new WebAssembly.Memory({ initial: 1 }));
hold('message_port', new (require('worker_threads').MessageChannel)().port1);
hold('vm_context_global', vm.createContext({ sandboxed: 1 }));
hold('vm_object', vm.runInNewContext('({ from: "another context", list: [1, 2] })'));
hold('vm_function', vm.runInNewContext('(function elsewhere() {})'));
holdIf('abort_controller', 'new AbortController()');
holdIf('structured_clone', 'structuredClone(new Map([[1, { a: 2 }]]))');
holdIf('temporal_instant', 'new Temporal.Instant(0n)');
holdIf('disposable_stack', 'new DisposableStack()');
holdIf('raw_json', 'JSON.rawJSON("1.0")');
holdIf('blob', 'new Blob(["text"])');
holdIf('headers', 'new Headers({ a: "b" })');

// --- The end ----------------------------------------------------------------------------------------------

function finish(everything, smi, double, text, nothing, missing, yes, method, list, instance, map, date) {
  const end = lastStep();
  end();
  return [everything, smi, double, text, nothing, missing, yes, method, list, instance, map, date];
}

function tellAll() {
  tell({ program: 'values', node: process.version, v8: process.versions.v8, execArgv: process.execArgv, absent, names: Object.keys(held) });
  const strings = {};
  for (const name of Object.keys(stringMakers)) strings[`string_${name}`] = stringMakers[name]();
  for (const name of Object.keys(stringTexts)) strings[`string_${name}`] = stringTexts[name];
  const isString = (name) => typeof held[name] === 'string';
  globalThis.toldOf = Object.assign({}, held, twins);
  const debug = debuggerSays('toldOf', Object.keys(held).filter((name) => !isString(name)));
  for (const name of Object.keys(held)) {
    const said = describe(isString(name) ? strings[name] === undefined ? held[name] : strings[name] : toldOf[name], 2);
    const record = Object.assign({ name }, said);
    if (debug[name]) record.debugger = debug[name];
    const mode = modes(held[name]);
    if (mode) record.modes = mode;
    if (known[name]) record.known = known[name];
    tell(record);
  }
  delete globalThis.toldOf;
  tell({
    arguments: ['held', 'number_smi_42', 'number_double_negative', 'string_latin1', 'null', 'undefined', 'true',
      'function_arrow', 'array_objects', 'instance_derived', 'map', 'date'],
  });
}

(async () => {
  for (const [name, from] of [['namespace', 'data:text/javascript,export default 1; export const named = "exported"; export let changing = 2.5; export function run() {}'], ['namespace_builtin', 'fs']]) {
    try {
      hold(name, await import(from));
    } catch (error) {
      absent.push({ name, why: String(error.message) });
    }
  }
  // A turn of the loop, so that what is weak can be cleared.
  await new Promise((resolve) => setTimeout(resolve, 1));
  if (typeof gc === 'function') {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 1));
    gc();
  }
  tellAll();
  finish(held, held.number_smi_42, held.number_double_negative, held.string_latin1, null, undefined, true,
    held.function_arrow, held.array_objects, held.instance_derived, held.map, held.date);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
