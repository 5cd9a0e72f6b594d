// Optimized frames with functions inlined into them, and V8's own account of the stack.
// usage: optimized.js [hot|turbofan|maglev] [--wait]
//   hot       loops only, V8 decides (the default)
//   turbofan  by %OptimizeFunctionOnNextCall (needs --allow-natives-syntax)
//   maglev    by %OptimizeMaglevOnNextCall (needs --allow-natives-syntax)
// Every way of being inlined is a link of one chain; the last link makes two calls at one call site:
// the first takes the stack as V8 tells it, the second ends the process.
const util = require('util');
const { tell, lastStep, stackFrom } = require('./truth.js');

const variant = process.argv.slice(2).find((word) => /^[a-z]+$/.test(word)) || 'hot';

// What each function was passed in its last call, by its name: `this`, then the arguments.
const passed = {};
// Something that the function cannot tell of itself.
const ANY = Symbol('any');
// The same, kept by link when the next one begins: all of it is on the stack then.
const passedByLink = [];

const show = (value) => {
  if (value === ANY) return null;
  if (value === globalThis) return '[globalThis]';
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (Array.isArray(value)) return `[array ${value.length}]`;
  if (typeof value === 'object' && value !== null) return `[object ${value.constructor.name}]`;
  return util.inspect(value);
};

function sink(value) {
  return value;
}

// Called on and on at several depths.
function depth4(next, number, text) {
  passed.depth4 = [this, next, number, text];
  const sum = number + 0.5;
  const got = next(sum);
  return got + sum + text.length;
}
function depth3(next, number, text) {
  passed.depth3 = [this, next, number, text];
  return depth4(next, number + 1, text) + 3;
}
function depth2(next, number, text) {
  passed.depth2 = [this, next, number, text];
  const kept = { number, text };
  return depth3(next, kept.number + 1, kept.text) + 2;
}
function depth1(next, number) {
  passed.depth1 = [this, next, number];
  return depth2(next, number + 1, 'a text') + 1;
}

class Point {
  constructor(next, x, y) {
    this.x = x;
    this.y = y;
    this.length = this.measure(next, x);
  }
  measure(next, x) {
    passed.measure = [this, next, x];
    return next(x) + this.y;
  }
  get doubled() {
    passed.doubled = [this];
    return this.twice(this.next);
  }
  twice(next) {
    passed.twice = [this, next];
    return next(this.x) * 2;
  }
  static make(next, x) {
    passed.make = [this, next, x];
    return new Point(next, x, 7);
  }
}

class Point3 extends Point {
  constructor(next, x, z) {
    super(next, x, z);
    this.z = z;
  }
}

class Square {
  constructor(side) {
    this.side = side;
  }
  area(next) {
    passed.area = [this, next];
    return next(this.side) + this.side * this.side;
  }
}
class Circle {
  constructor(radius) {
    this.radius = radius;
  }
  area(next) {
    passed.area = [this, next];
    return next(this.radius) + this.radius * 3;
  }
}

function fewer(next, a, b, c) {
  passed.fewer = [this, next, a];
  return next(a) + (b === undefined ? 1 : 2) + (c === undefined ? 1 : 2);
}
function more(next) {
  passed.more = [this, ...arguments];
  return next(1);
}
function rest(next, ...others) {
  passed.rest = [this, next, ...others];
  return next(others.length) + others[0];
}
function usesArguments(next) {
  passed.usesArguments = [this, ...arguments];
  return next(arguments.length) + arguments[1];
}
function defaults(next, a = 5, { b } = { b: 6 }) {
  passed.defaults = [this, next];
  return next(a) + b;
}
function strictThis(next) {
  'use strict';
  passed.strictThis = [this, next];
  return next(1) + (this ? 1 : 0);
}

const point = { next: null, x: 3 };
Object.setPrototypeOf(point, Point.prototype);
const shapes = [new Square(2), new Circle(3)];
const numbers = [4];
const texts = ['t'];

// Each is optimized for itself, with what it calls inlined into it.
const links = {
  depths: (next) => depth1(next, 10),
  constructed: (next) => new Point(next, 1, 2).length,
  made: (next) => Point.make(next, 4).x,
  derived: (next) => new Point3(next, 5, 6).z,
  getter: (next) => {
    point.next = next;
    return point.doubled;
  },
  polymorphic: (next) => {
    let sum = 0;
    for (let i = 0; i < shapes.length; i++) sum += shapes[i].area(i === 1 ? next : sink);
    return sum;
  },
  fewerArguments: (next) => fewer(next, 1),
  moreArguments: (next) => more(next, 'extra', 2.5),
  restArguments: (next) => rest(next, 1, 2),
  argumentsObject: (next) => usesArguments(next, 8),
  defaultArguments: (next) => defaults(next),
  strict: (next) => strictThis.call(undefined, next),
  called: (next) => more.call({ called: 1 }, next),
  applied: (next) => more.apply(null, [next]),
  mapped: (next) => numbers.map((value) => next(value))[0],
  forEached: (next) => {
    let sum = 0;
    numbers.forEach(function each(value, index) {
      passed.each = [this, value, index, numbers];
      sum += next(value + index);
    });
    return sum;
  },
  reduced: (next) => numbers.reduce((sum, value) => sum + next(value), 1),
  filtered: (next) => texts.filter((text) => next(text.length) > 0).length,
  some: (next) => numbers.some((value) => next(value) > 0),
  every: (next) => numbers.every((value) => next(value) > 0),
  found: (next) => texts.find((text) => next(text.length) > 0),
  foundIndex: (next) => texts.findIndex((text) => next(text.length) > 0),
  nestedCallbacks: (next) =>
    numbers.map((outer) => texts.map((inner) => depth4(next, outer, inner))[0])[0],
  closure: (next) => {
    const captured = 3;
    const inner = (value) => {
      passed.inner = [ANY, value];
      return next(value + captured);
    };
    return inner(1) + captured;
  },
  tryFinally: (next) => {
    let seen = 0;
    try {
      seen = depth4(next, 1, 'in try');
    } finally {
      sink(seen);
    }
    return seen;
  },
  inCatch: (next) => {
    try {
      return depth4(next, 2, 'caught');
    } catch (error) {
      return 0;
    }
  },
  inLoop: (next) => {
    let sum = 0;
    for (const value of numbers) sum += depth4(next, value, 'in loop');
    return sum;
  },
  template: (next) => `${depth4(next, 1, 'template')}`.length,
};

const names = Object.keys(links);
const noops = [
  (value) => value,
  (value) => value + 1,
  (value) => value - 1,
  (value) => value * 2,
  (value) => 1 + value,
  (value) => 2 + value,
];

function natives(name) {
  return new Function('f', `%${name}(f)`);
}

function prepare(link) {
  const train = (times) => {
    for (let i = 0; i < times; i++) link(noops[i % noops.length]);
  };
  if (variant === 'hot') {
    train(60000);
    return;
  }
  natives('PrepareFunctionForOptimization')(link);
  train(2000);
  natives(variant === 'maglev' ? 'OptimizeMaglevOnNextCall' : 'OptimizeFunctionOnNextCall')(link);
  train(1);
}

function finish(steps) {
  for (let i = 0; i < steps.length; i++) steps[i](i);
}

function takeStack() {
  const said = stackFrom(takeStack);
  // `go` is between the links; the first link is the outermost.
  let link = -1;
  for (const site of said.sites.slice().reverse()) {
    if (site.functionName === 'go') link++;
    else if (link >= 0 && link < names.length) {
      site.link = names[link];
      site.noted = passedByLink[link][site.functionName] || null;
    }
  }
  tell({
    program: 'optimized',
    variant,
    node: process.version,
    v8: process.versions.v8,
    execArgv: process.execArgv,
    sites: said.sites,
    stack: said.stack,
  });
}

// The shapes of what is noted first: code that knows them is thrown away when they change.
for (const name of names) for (const noop of noops) links[name](noop);
for (const name of names) prepare(links[name]);

function go(at) {
  if (at > 0) {
    passedByLink[at - 1] = {};
    for (const name of Object.keys(passed)) passedByLink[at - 1][name] = passed[name].map(show);
  }
  if (at === names.length) {
    finish([takeStack, lastStep()]);
    return 1;
  }
  return links[names[at]](() => go(at + 1));
}
go(0);
