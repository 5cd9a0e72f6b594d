// Functions of many shapes, one calling the next, and each says what its variables hold just before
// it does: `note(function, values, without)`; `without` are those that have no value yet.
// usage: locals.js [plain|turbofan|maglev] [--wait]
//   plain     by whatever tier the flags leave (the default)
//   turbofan, maglev  each function optimized (needs --allow-natives-syntax)
const { tell, lastStep } = require('./truth.js');

const variant = process.argv.slice(2).find((word) => /^[a-z]+$/.test(word)) || 'plain';

const show = (value) => {
  if (value === globalThis) return '[globalThis]';
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (Array.isArray(value)) return `[array ${value.length}]`;
  if (typeof value === 'object' && value !== null) return `[object ${value.constructor.name}]`;
  if (typeof value === 'string') return `'${value}'`;
  return String(value);
};

const notes = new Map();
// A note is made anew each time the function runs; what stands last is of the call on the stack.
function note(f, values, without) {
  notes.set(f, { values, without: without || [] });
}
// What `this` is in a function.
const selves = new Map();
function noteSelf(f, self) {
  selves.set(f, self);
}
function sink(value) {
  return value;
}
const one = [1];

const links = {
  blocks(next) {
    let a = 1;
    const b = 'two';
    var c = 3.5;
    {
      let a = 4;
      const d = null;
      {
        const b = undefined;
        var e = true;
        note('blocks', { next, a, b, c, d, e });
        next();
        sink([a, b, c, d, e]);
      }
      sink([a, d]);
    }
    sink([a, b]);
  },
  siblings(next) {
    let a = 1;
    {
      let b = 2;
      sink(b);
    }
    {
      let c = 3;
      let d = 'd';
      note('siblings', { next, a, c, d });
      next();
      sink([c, d]);
    }
    {
      let f = 5;
      sink(f);
    }
    sink(a);
  },
  later(next) {
    let a = 1;
    note('later', { next, a, v: undefined }, ['b', 'C']);
    next();
    let b = 2;
    class C {}
    var v = 3;
    sink([a, b, C, v]);
  },
  secondTime(next) {
    let sum = 0;
    for (let i = 0; i < 2; i++) {
      if (i === 1) {
        note('secondTime', { next, sum, i, w: 7 }, ['stale']);
        next();
      }
      let stale = i + 10;
      var w = 7;
      sum += stale;
      sink(sum);
    }
    sink(w);
  },
  initializer(next) {
    let before = 1;
    const call = (values) => {
      note('initializer', { next, call, before, first: 8 }, ['during', 'after']);
      return next(values);
    };
    let first = 8,
      during = call(before),
      after = 2;
    sink([before, first, during, after]);
  },
  loops(next) {
    for (let i = 0, n = 1; i < n; i++) {
      for (const x of one) {
        for (const key in { k: 1 }) {
          note('loops', { next, i, n, x, key });
          next();
          sink([i, n, x, key]);
        }
      }
    }
  },
  loopsWithClosures(next) {
    const seen = [];
    for (let i = 0, plain = 'p'; i < 2; i++) {
      seen.push(() => i);
      let inner = i * 2;
      if (i === 1) {
        note('loopsWithClosures', { next, seen, i, plain, inner });
        next();
        sink(plain);
      }
      sink(inner);
    }
    sink(seen);
  },
  whileLoop(next) {
    let left = 1;
    while (left--) {
      const inWhile = left;
      do {
        const inDo = 'do';
        note('whileLoop', { next, left, inWhile, inDo });
        next();
        sink([inDo, left]);
      } while (inWhile);
      sink(inWhile);
    }
  },
  switched(next) {
    const what = 2;
    switch (what) {
      case 1:
        sink(0);
        break;
      case 2:
        let b = 'two';
        const c = 3;
        note('switched', { next, what, b, c });
        next();
        sink([b, c, what]);
        break;
      default:
        sink(1);
    }
  },
  tried(next) {
    let a = 1;
    try {
      const inTry = 2;
      sink(inTry);
      throw new TypeError('thrown');
    } catch (error) {
      const inCatch = 3;
      note('tried', { next, a, error, inCatch });
      next();
      sink([error, inCatch]);
    }
    sink(a);
  },
  caughtPattern(next) {
    try {
      throw { code: 5, deep: { list: [1, 2] } };
    } catch ({
      code,
      deep: {
        list: [first, ...others],
      },
    }) {
      note('caughtPattern', { next, code, first, others });
      next();
      sink([code, first, others]);
    }
  },
  finallyBlock(next) {
    let seen = 0;
    try {
      seen = 1;
    } finally {
      const last = 'finally';
      note('finallyBlock', { next, seen, last });
      next();
      sink(last);
    }
    return seen;
  },
  patterns(next) {
    const {
      a,
      b: { c = 7, ...rest },
      ['d']: d,
    } = { a: 1, b: { e: 2, f: 3 }, d: 'dee' };
    let [x, , y = 9, ...z] = [1, 2, undefined, 4, 5];
    var { length } = 'four';
    note('patterns', { next, a, c, rest, d, x, y, z, length });
    next();
    sink([a, c, rest, d, x, y, z, length]);
  },
  defaults(next, a = 5, { b, c = 6 } = { b: 'bee' }, [d] = [1.25], ...rest) {
    let local = a + 1;
    note('defaults', { next, a, b, c, d, rest, local });
    next();
    sink([a, b, c, d, rest, local]);
  },
  shadowedParameter(next, p = 3) {
    var p;
    let q = p + 1;
    note('shadowedParameter', { next, p, q });
    next();
    sink([p, q]);
  },
  reassigned(next, p, q) {
    p = 'changed';
    q = 2.5;
    let r = 1;
    r += 41;
    note('reassigned', { next, p, q, r });
    next();
    sink([p, q, r]);
  },
  captured(next, p) {
    let a = 1;
    let plain = 2;
    const change = () => {
      a++;
      p = 'by closure';
      return a;
    };
    change();
    {
      let inner = 'in';
      const read = () => inner + a;
      inner = 'changed';
      note('captured', { next, p, a, plain, change, inner, read });
      next();
      sink([inner, read]);
    }
    sink([a, p, plain, change]);
  },
  usesArguments(next, p, q) {
    p = 'mapped';
    const count = arguments.length;
    note('usesArguments', { next, p, q, count });
    next();
    sink([arguments, p, q, count]);
  },
  rest(next, ...others) {
    const n = others.length;
    note('rest', { next, others, n });
    next();
    sink([others, n]);
  },
  hoisted(next) {
    if (one.length > 5) {
      var never = 1;
    }
    function inner() {
      return never;
    }
    {
      function inBlock() {}
      const b = 2;
      note('hoisted', { next, never: undefined, inner, inBlock, b });
      next();
      sink([b, inBlock]);
    }
    sink([never, inner]);
  },
  classes(next) {
    class A {
      m() {
        return 1;
      }
    }
    const B = class Named extends A {
      m() {
        return Named;
      }
    };
    const object = new B();
    note('classes', { next, A, B, object });
    next();
    sink([A, B, object]);
  },
  labels(next) {
    let steps = 0;
    outer: for (const x of [1, 2]) {
      steps++;
      inner: {
        const y = x * 2;
        if (x === 1) continue outer;
        if (y === 0) break inner;
        note('labels', { next, steps, x, y });
        next();
        sink([x, y]);
      }
    }
    sink(steps);
  },
  strict(next, p) {
    'use strict';
    let a = 'strict';
    {
      function f() {}
      p = 12;
      note('strict', { next, p, a, f });
      next();
      sink([a, p, f]);
    }
  },
  evaluated(next, p) {
    let a = 1;
    eval('a = 2');
    {
      const b = 'b';
      note('evaluated', { next, p, a, b });
      next();
      sink([a, b, p]);
    }
  },
  withObject: new Function(
    'next',
    'note',
    'sink',
    `let a = 1;
    with ({ b: 2 }) {
      let c = 3;
      note('anonymous', { next, note, sink, a, c });
      next();
      sink([a, c]);
    }`
  ),
  numbers(next) {
    const small = -3;
    const large = 2 ** 40;
    const half = 0.5;
    const minus = -0.25;
    const big = 123n;
    const symbol = 'text';
    note('numbers', { next, small, large, half, minus, big, symbol });
    next();
    sink([small, large, half, minus, big, symbol]);
  },
};
const shaped = {
  arrow: (next) => {
    let a = 1;
    for (const x of one) {
      const b = x + a;
      note('arrow', { next, a, x, b });
      next();
      sink([a, x, b]);
    }
  },
  arrowDefaults: (next, p = 2, ...rest) => {
    let a = p * 2;
    note('arrowDefaults', { next, p, rest, a });
    next();
    sink([p, rest, a]);
  },
  named: function itself(next) {
    let a = 1;
    const same = itself === shaped.named;
    {
      let b = 2;
      note('itself', { next, a, same, b, itself });
      next();
      sink([a, b, same]);
    }
  },
  generator: (next) => {
    function* made(next, p) {
      let a = yield 1;
      for (const x of one) {
        const b = 'gen';
        note('made', { next, p, a, x, b });
        next();
        yield [a, x, b, p];
      }
    }
    const held = [made(next, 'p')];
    held[0].next();
    note('generator', { next, made, held });
    held[0].next('sent');
    sink(held);
  },
  asynchronous: (next) => {
    async function starts(next, p) {
      let a = 1;
      try {
        const b = 2;
        note('starts', { next, p, a, b });
        next();
        await sink([a, b, p]);
      } catch (error) {
        sink(error);
      }
    }
    note('asynchronous', { next, starts });
    starts(next, 3);
  },
  methods: (next) => {
    class Thing {
      constructor(next, size) {
        let double = size * 2;
        this.size = double;
        note('Thing', { next, size, double });
        next();
        sink(double);
      }
    }
    class Derived extends Thing {
      constructor(next) {
        const before = 'b';
        super(() => {
          note('Derived', { next, before });
          next();
        }, 4);
        sink(before);
      }
    }
    const make = () => new Derived(next);
    note('methods', { next, Thing, Derived, make });
    make();
  },
  // `super()` makes what `this` is.
  derived: (next) => {
    class Base {}
    class Plain extends Base {
      constructor(next, size) {
        super();
        this.size = size;
        note('Plain', { next, size });
        noteSelf('Plain', this);
        next();
        sink(this);
      }
    }
    class Seen extends Base {
      constructor(next) {
        super();
        const get = () => this;
        note('Seen', { next, get });
        noteSelf('Seen', this);
        next();
        sink(get);
      }
    }
    const make = () => new Plain(() => sink(new Seen(next)), 4);
    note('derived', { next, Base, Plain, Seen, make });
    sink(make());
  },
  unicode: (next) => {
    const größe = '🙂 ü';
    let 名 = größe.length;
    note('unicode', { next, größe, 名 });
    next();
    sink([größe, 名]);
  },
};
Object.assign(links, shaped);
const names = Object.keys(links);

// Many, lest the compiler takes the one it saw for granted.
const noops = [() => {}, () => 1, () => 2, () => 3, () => 4, () => 5, () => 6];

function natives(name) {
  return new Function('f', `%${name}(f)`);
}

function prepare(link) {
  const train = (times) => {
    for (let i = 0; i < times; i++) run(link, noops[i % noops.length]);
  };
  train(noops.length);
  if (variant === 'plain') return;
  natives('PrepareFunctionForOptimization')(link);
  train(200);
  natives(variant === 'maglev' ? 'OptimizeMaglevOnNextCall' : 'OptimizeFunctionOnNextCall')(link);
  train(1);
}

function run(link, next) {
  if (link === links.withObject) return link(next, note, sink);
  if (link === links.usesArguments || link === links.rest) return link(next, 1, 'two', 3);
  return link(next);
}

function finish(steps) {
  for (let i = 0; i < steps.length; i++) steps[i]();
}

function takeNotes() {
  const functions = {};
  for (const [name, { values, without }] of notes) {
    functions[name] = { values: {}, without };
    for (const key of Object.keys(values)) functions[name].values[key] = show(values[key]);
  }
  const thises = {};
  for (const [name, self] of selves) thises[name] = show(self);
  tell({ program: 'locals', variant, node: process.version, functions, thises });
}

for (const name of names) prepare(links[name]);
notes.clear();

function go(at) {
  if (at === names.length) {
    finish([takeNotes, lastStep()]);
    return;
  }
  run(links[names[at]], () => go(at + 1));
}

async function resumed(p) {
  let a = 1;
  await null;
  const b = 'after await';
  for (const x of one) {
    note('resumed', { p, a, b, x });
    go(0);
    await sink([a, b, x, p]);
  }
}
resumed('p');
