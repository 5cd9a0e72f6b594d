// A deep stack through every kind of call, and V8's own account of it.
// usage: frames.js [sync|direct|hot|async|timer|generator] [--wait]
//   sync       from the module's top level (the default)
//   direct     only the calls between the program's own functions, without V8's builtins
//   hot        the same as direct, begun in functions that ran often before (optimized, inlined)
//   async      as sync, begun in the continuation of an async function that others await
//   timer      as sync, begun in a timer's callback
//   generator  as sync, begun in an async generator that `for await` drives
// The last user frame, `finish`, makes its two calls at one and the same call site: the first takes the
// stack as V8 tells it, the second ends the process. So the positions told are those in the core.
// Most functions also note their `this` and the arguments that were passed to them; the last record has
// them with the call sites they belong to.
const util = require('util');
const vm = require('vm');
const { tell, lastStep, stackFrom } = require('./truth.js');

const variant = process.argv.slice(2).find((word) => /^[a-z]+$/.test(word)) || 'sync';

// Something that the function cannot tell of itself.
const ANY = Symbol('any');

const show = (value) => {
  if (value === ANY) return null;
  if (value === globalThis) return '[globalThis]';
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (Array.isArray(value)) return `[array ${value.length}]`;
  if (value instanceof Error) return `[error ${value.message}]`;
  if (typeof value === 'object' && value !== null) {
    const made = util.types.isProxy(value) ? 'Proxy' : value.constructor && value.constructor.name;
    return `[object ${made}]`;
  }
  return util.inspect(value);
};

// By the depth of the frame, counted from the outermost.
const noted = [];
const depthOf = (below) => {
  const { stackTraceLimit, prepareStackTrace } = Error;
  Error.stackTraceLimit = Infinity;
  Error.prepareStackTrace = (error, sites) => sites.length;
  const one = {};
  Error.captureStackTrace(one, below);
  const depth = one.stack;
  Error.stackTraceLimit = stackTraceLimit;
  Error.prepareStackTrace = prepareStackTrace;
  return depth;
};

// `args`: what the caller passed, given as known, so that `arguments` need not be made.
function note(name, self, args) {
  const depth = depthOf(note);
  noted.length = depth;
  noted[depth] = { name, this: show(self), args: args.map(show) };
}

// The functions that call on, outermost last.

function finish(steps, mark, half, nothing) {
  note('finish', this, [steps, mark, half, nothing]);
  for (let i = 0; i < steps.length; i++) {
    steps[i](i);
  }
}

function takeStack() {
  const said = stackFrom(takeStack);
  said.sites.forEach((site, at) => {
    const found = noted[said.sites.length - at];
    if (found) site.noted = found;
  });
  tell({
    program: 'frames',
    variant,
    node: process.version,
    v8: process.versions.v8,
    execArgv: process.execArgv,
    // Innermost first, as the stack is.
    sites: said.sites,
    stack: said.stack,
  });
}

function sloppyThis(a) {
  note('sloppyThis', this, [a]);
  finish([takeStack, lastStep()], 'a mark', 1.5, undefined);
}

function strictThis(a) {
  'use strict';
  note('strictThis', this, [a]);
  sloppyThis.call('boxed', a);
}

function recursion(depth, text) {
  note('recursion', this, [depth, text]);
  if (depth > 0) {
    recursion(depth - 1, text + '.');
  } else {
    strictThis(-1);
  }
}

function fewer(a, b, c) {
  // Called with one argument for three.
  note('fewer', this, ['only one']);
  recursion(3, 'down');
  return [a, b, c];
}

function more(a) {
  // Called with five arguments for one.
  note('more', this, [1, 'two', 3.25, null, [4]]);
  fewer('only one');
  return a;
}

function none() {
  // Called with three arguments for none.
  note('none', this, [true, false, 10n]);
  more(1, 'two', 3.25, null, [4]);
}

function rest(first, ...others) {
  note('rest', this, [first, ...others]);
  none(true, false, 10n);
}

function defaults(a, b = a + 1, { c } = { c: 3 }) {
  note('defaults', this, ['d']);
  rest('first', 'second', 'third');
  return [b, c];
}

function usesArguments(a) {
  note('usesArguments', this, Array.from(arguments));
  defaults('d');
  return arguments.length + a;
}

function inCatch() {
  note('inCatch', this, []);
  try {
    throw new Error('thrown to be caught');
  } catch (error) {
    try {
      usesArguments(1, 2);
    } finally {
      void error;
    }
  }
}

const holder = {
  method(a) {
    note('method', this, [a]);
    inCatch();
  },
  get early() {
    note('early', this, []);
    this.method('by getter');
    return 1;
  },
  set late(value) {
    note('late', this, [value]);
    return this.early;
  },
  ['comp' + 'uted'](a) {
    note('computed', this, [a]);
    this.late = a;
  },
  [Symbol('named by symbol')](a) {
    note('named by symbol', this, [a]);
    this.computed(a);
  },
  property: function (a) {
    note('property', this, [a]);
    const [symbol] = Object.getOwnPropertySymbols(this);
    this[symbol](a);
  },
  arrowProperty: (a) => {
    note('arrowProperty', ANY, [a]);
    holder.property(a);
  },
  42(a) {
    note('42', this, [a]);
    holder.arrowProperty(a);
  },
};

const assigned = {};
assigned.later = function (a) {
  note('later', this, [a]);
  holder[42](a);
};
assigned.deep = { deeper: {} };
assigned.deep.deeper.deepest = (a) => {
  note('deepest', ANY, [a]);
  assigned.later(a);
};

class Account {
  constructor(owner, extra) {
    note('Account', ANY, [owner, extra]);
    this.owner = owner;
    this.audit(owner, extra);
  }
  audit(owner, extra) {
    note('audit', this, [owner, extra]);
    Account.open(owner);
  }
  static open(owner) {
    note('open', this, [owner]);
    this.total;
  }
  static get total() {
    note('total', this, []);
    assigned.deep.deeper.deepest('from class');
    return 0;
  }
}

class Ledger extends Account {
  constructor(owner) {
    note('Ledger', ANY, [owner]);
    super(owner, 7);
    this.kind = 'ledger';
  }
  audit(owner, extra) {
    note('Ledger.audit', this, [owner, extra]);
    super.audit(owner, extra);
  }
}

// No constructor of its own: V8 makes one.
class Journal extends Ledger {}

class WithField {
  field = (note('<instance_members_initializer>', ANY, []), new Journal('owner'));
}

const Unnamed = (() =>
  class {
    run(a) {
      note('run', this, [a]);
      new WithField();
    }
  })();

function OldStyle(a) {
  note('OldStyle', ANY, [a]);
  this.a = a;
  new Unnamed().run(a);
}
OldStyle.prototype.move = function (a) {
  note('move', this, [a]);
  new OldStyle(a);
};

function Ancestor() {}
Ancestor.prototype.inherited = function inherited(a) {
  note('inherited', this, [a]);
  Object.create(OldStyle.prototype).move(a);
};
function Descendant() {}
Descendant.prototype = Object.create(Ancestor.prototype);
Descendant.prototype.constructor = Descendant;

// Calls that go through V8's builtins. Each takes what to do next.
const viaBuiltins = [
  (next) => [3, 1].sort(function compare(a, b) {
    note('compare', this, [a, b]);
    next();
    return a - b;
  }),
  (next) => 'abc'.replace(/b/, function replacer(match, offset, whole) {
    note('replacer', this, [match, offset, whole]);
    next();
    return '';
  }),
  (next) => [1].map((value, index, all) => {
    note('mapped', ANY, [value, index, all]);
    next();
  }),
  (next) => [1.5].forEach(function each(value, index, all) {
    note('each', this, [value, index, all]);
    next();
  }, 'this argument'),
  (next) => ['x'].reduce(function fold(sum, value, index, all) {
    note('fold', this, [sum, value, index, all]);
    next();
  }, 0),
  (next) => Array.from({ length: 1 }, function fromEach(value, index) {
    note('fromEach', this, [value, index]);
    next();
  }),
  (next) => new Map([['key', 'value']]).forEach(function mapEach(value, key, map) {
    note('mapEach', this, [value, key, map]);
    next();
  }),
  (next) => new Set([5]).forEach(function setEach(value, key, set) {
    note('setEach', this, [value, key, set]);
    next();
  }),
  (next) => new Float64Array(1).map(function typedEach(value, index, all) {
    note('typedEach', this, [value, index, all]);
    next();
    return 0;
  }),
  (next) => JSON.stringify({ inner: { toJSON(key) {
    note('toJSON', this, [key]);
    next();
  } } }),
  (next) => JSON.parse('[1]', function reviver(key, value) {
    // A third argument came with some release.
    note('reviver', this, Array.from(arguments));
    next();
  }),
  (next) => Reflect.apply(function applied(a, b) {
    note('applied', this, [a, b]);
    next();
  }, { plain: true }, [1, 'b']),
  (next) => {
    class Reflected {
      constructor(a) {
        note('Reflected', ANY, [a]);
        next();
      }
    }
    Reflect.construct(Reflected, ['r']);
  },
  (next) => function called(a) {
    note('called', this, [a]);
    next();
  }.call(null, 'c'),
  (next) => function appliedTo(a, b) {
    note('appliedTo', this, [a, b]);
    next();
  }.apply(undefined, ['a', 2]),
  (next) => function boundTarget(a, b) {
    note('boundTarget', this, [a, b]);
    next();
  }.bind({ bound: 1 }, 'bound argument')('call argument'),
  (next) => {
    class BoundConstructed {
      constructor(a) {
        note('BoundConstructed', ANY, [a]);
        next();
      }
    }
    new (BoundConstructed.bind(null, 'b'))();
  },
  (next) => (function spread(a, b, c) {
    note('spread', this, [a, b, c]);
    next();
  })(...[1, 2], ...'3'),
  (next) => new Promise(function executor(resolve, reject) {
    note('executor', this, [resolve, reject]);
    next();
  }),
  (next) => new Proxy({}, { get(target, key, receiver) {
    note('get', this, [target, key, receiver]);
    next();
  } }).anything,
  (next) => new Proxy(function target() {}, { apply(target, self, list) {
    note('apply', this, [target, self, list]);
    next();
  } })(1, 2),
  (next) => new (new Proxy(function target() {}, { construct(target, list, newTarget) {
    note('construct', this, [target, list, newTarget]);
    next();
    return {};
  } }))(1),
  (next) => 'p' in new Proxy({}, { has(target, key) {
    note('has', this, [target, key]);
    next();
  } }),
  (next) => Object.keys(new Proxy({}, { ownKeys(target) {
    note('ownKeys', this, [target]);
    next();
    return [];
  } })),
  (next) => [...{ [Symbol.iterator]() {
    note('[Symbol.iterator]', this, []);
    next();
    return [][Symbol.iterator]();
  } }],
  (next) => {
    const iterator = { [Symbol.iterator]: () => ({ next() {
      note('next', this, []);
      next();
      return { done: true };
    } }) };
    for (const never of iterator) void never;
  },
  (next) => {
    function* generator(a) {
      note('generator', this, [a]);
      yield 1;
      next();
      yield 2;
    }
    const made = generator('g');
    made.next();
    // It was entered before: its frame comes now, so its note must too.
    made.next();
  },
  (next) => {
    function* inner() {
      note('inner', this, []);
      next();
      yield 1;
    }
    function* outer(a) {
      note('outer', this, [a]);
      yield* inner();
    }
    for (const never of outer('o')) void never;
  },
  (next) => `${{ [Symbol.toPrimitive](hint) {
    note('[Symbol.toPrimitive]', this, [hint]);
    next();
    return '';
  } }}`,
  (next) => +{ valueOf() {
    note('valueOf', this, []);
    next();
    return 0;
  } },
  (next) => ((strings, value) => {
    note('tag', ANY, [strings, value]);
    next();
  })`a${1}b`,
  (next) => ({} instanceof { [Symbol.hasInstance](value) {
    note('[Symbol.hasInstance]', this, [value]);
    next();
  } }),
  (next) => Object.defineProperty({}, 'defined', { get: function definedGetter() {
    note('definedGetter', this, []);
    next();
  } }).defined,
  (next) => Reflect.get({ get reflected() {
    note('reflected', this, []);
    next();
  } }, 'reflected', 'receiver'),
  (next) => eval('(function inEval(a) { note("inEval", this, [a]); next(); })("e")'),
  (next) => (0, eval)('(function indirect(next, note) { note("indirect", this, [next, note]); next(); })')(next, note),
  (next) => new Function('next', 'note', 'note("anonymous", this, [next, note]);\n  next();')(next, note),
  (next) => vm.runInThisContext('(function inVm(next, note) {\n  note("inVm", this, [next, note]); next(); })', {
    filename: 'virtual.js', lineOffset: 10, columnOffset: 3,
  })(next, note),
  (next) => vm.runInNewContext('(function inOther(next, note, ANY) { note("inOther", ANY, [next, note, ANY]); next(); })',
    {}, { filename: 'other-context.js' })(next, note, ANY),
  (next) => (async function asyncStart(a) {
    note('asyncStart', this, [a]);
    next();
  })('before any await'),
  (next) => (async (a) => {
    note('asyncArrow', ANY, [a]);
    next();
  })('s'),
  (next) => (async function* asyncGeneratorStart(a) {
    note('asyncGeneratorStart', this, [a]);
    next();
  })('s').next(),
  (next) => require('events').prototype.emit.call(Object.assign(new (require('events'))().on('happens', function listener(a) {
    note('listener', this, [a]);
    next();
  })), 'happens', 'event argument'),
  (next) => util.promisify((a, done) => {
    note('promisified', ANY, [a, done]);
    next();
  })('p'),
  (next) => { with ({ inWith: 1 }) { (function withScope(a) {
    note('withScope', this, [a]);
    next();
  })(inWith); } },
  (next) => { label: for (const a of [1]) { for (const b of [2]) { ((c) => {
    note('inLoop', ANY, [c]);
    next();
  })(a + b); continue label; } } },
];

// Syntax that the oldest releases do not parse: each in its own code, left out where it does not parse.
const newer = [
  'new (class Privates { #secret(a) { note("#secret", this, [a]); next(); } constructor() { note("Privates", ANY, []); this.#secret(1); } })()',
  'new (class { get #hidden() { note("#hidden", this, []); next(); return 1; } show() { note("show", this, []); return this.#hidden; } })().show()',
  '(class { static { note("<static_initializer>", ANY, []); next(); } })',
  '(class { static field = (note("<static_initializer>", ANY, []), next()); })',
  '({ a: { b(c) { note("b", this, [c]); next(); } } })?.a?.b?.(1)',
  '[2].findLast(function last(a, b, c) { note("last", this, [a, b, c]); next(); })',
  '[2, 1].toSorted(function sorted(a, b) { note("sorted", this, [a, b]); next(); })',
  '"aa".replaceAll("a", function all(a, b, c) { note("all", this, [a, b, c]); next(); })',
  'Object.groupBy([1], function group(a, b) { note("group", this, [a, b]); next(); })',
  '[1].values().map(function lazily(a, b) { note("lazily", this, [a, b]); next(); }).toArray()',
];
for (const code of newer) {
  let made;
  try {
    made = new Function('next', 'note', 'ANY', code);
    // A parse says nothing of a method that is missing.
    const missing = { findLast: [], toSorted: [], replaceAll: '', groupBy: Object, lazily: [].values() };
    if (Object.keys(missing).some((word) => code.includes(word) && !(word === 'lazily' ? missing[word].map : missing[word][word]))) continue;
  } catch (_) {
    continue;
  }
  viaBuiltins.push(function newerSyntax(next) {
    made(next, note, ANY);
  });
}

const links = variant === 'direct' || variant === 'hot' ? [] : viaBuiltins;

function chain(at) {
  note('chain', this, [at]);
  if (at === links.length) {
    new Descendant().inherited('start');
    return;
  }
  links[at](() => {
    note('', ANY, []);
    chain(at + 1);
  });
}

// Small, and run so often that they are optimized, the inner ones into the outer.
function hotLeaf(call, a) {
  return call(a) + 1;
}
function hotMiddle(call, a, b) {
  return hotLeaf(call, a + b) * 2;
}
function hotOuter(call, a) {
  let sum = 0;
  for (let i = 0; i < 3; i++) sum += hotMiddle(call, a, i);
  return sum;
}

async function later(name) {
  note('later', this, [name]);
  await null;
  // In the continuation: its caller is the microtask queue.
  note('later', this, [name]);
  chain(0);
}

async function middle() {
  await later('awaited');
}

async function* asyncValues() {
  yield 1;
  await new Promise((resolve) => setTimeout(resolve, 1));
  chain(0);
  yield 2;
}

switch (variant) {
  case 'sync':
  case 'direct':
    chain(0);
    break;
  case 'hot': {
    const calls = [];
    for (let i = 0; i < 8; i++) calls.push(new Function('a', `return a + ${i}`));
    for (let i = 0; i < 300000; i++) hotOuter(calls[i & 7], i & 15);
    hotOuter(() => chain(0), 1);
    break;
  }
  case 'async':
    (async function outermost() {
      await Promise.all([null, middle()]);
    })();
    break;
  case 'timer':
    setTimeout(function onTimer(a, b) {
      note('onTimer', this, [a, b]);
      chain(0);
    }, 1, 'timer argument', 2);
    break;
  case 'generator':
    (async () => {
      for await (const value of asyncValues()) void value;
    })();
    break;
  default:
    throw new Error(`no such variant: ${variant}`);
}
