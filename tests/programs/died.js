'use strict';
// Ways to die, each told of before it comes; node's and V8's own words are on standard error.
// usage: died.js throw|reject VALUE | kill SIGNAL | overflow|builtin|oom|abort|fatal|check|assert|segv
// Flags that the ways need: --abort-on-uncaught-exception (and --unhandled-rejections=strict before
// Node 15), --max-old-space-size=32, --expose-internals (fatal, assert), --allow-natives-syntax (check).
const { tell } = require('./truth.js');

class BadForm extends TypeError {
  constructor(message, field) {
    super(message);
    this.field = field;
  }
}
Object.defineProperty(BadForm.prototype, 'name', { value: 'BadForm' });

// Two of everything: one says what it is (and so is changed by it), the other one dies.
const twice = (make) => [0, 1].map(() => make());
function describe(value) {
  const isError = value instanceof Error;
  return {
    text: String(value),
    stack: isError ? value.stack : null,
    cause: isError && value.cause ? String(value.cause) : null,
  };
}

const values = {
  error: () => new Error('the form has no name,\nnor \u001b[31mcolour'),
  subclass: () => {
    const made = new BadForm('a bad form', 'name');
    made.cause = new RangeError('inner');
    return made;
  },
  string: () => 'only a string',
  undefined: () => undefined,
  // V8 runs no code for what it says of these.
  oddName: () => Object.assign(new Error('its name is a number'), { name: 5 }),
  oldStyle: () => new OldStyle('no Error, but of its prototype'),
};
function OldStyle(message) {
  this.message = message;
}
OldStyle.prototype = Object.create(Error.prototype, { name: { value: 'OldStyle' } });


const ways = {
  throw(name) {
    const [told, thrown] = twice(values[name]);
    tell({ way: 'throw', ...describe(told) });
    throw thrown;
  },
  // Thrown by V8 itself, not by a throw statement.
  builtin() {
    let told;
    for (let i = 0; i < 2; i++) {
      try {
        if (i === 0) null.property;
      } catch (error) {
        told = error;
      }
    }
    tell({ way: 'builtin', ...describe(told) });
    null.property;
  },
  reject(name) {
    const [told, rejected] = twice(values[name]);
    tell({ way: 'reject', ...describe(told) });
    (async () => {
      await null;
      throw rejected;
    })();
  },
  oom() {
    const v8 = require('v8');
    const { heap_size_limit, used_heap_size } = v8.getHeapStatistics();
    tell({ way: 'oom', heap_size_limit, used_heap_size });
    const kept = [];
    for (;;) kept.push({ a: kept.length, b: [kept.length] });
  },
  overflow() {
    tell({ way: 'overflow' });
    (function again() {
      again();
    })();
  },
  kill(name) {
    tell({ way: 'kill', pid: process.pid });
    process.kill(process.pid, name);
    setTimeout(() => {}, 60000);
  },
  abort() {
    tell({ way: 'abort' });
    process.abort();
  },
  // FATAL ERROR of V8's interface: a Maybe that nobody looked into.
  fatal() {
    tell({ way: 'fatal' });
    const { internalBinding } = require('internal/test/binding');
    const bad = {
      valueOf() {
        throw new Error('no number');
      },
    };
    internalBinding('cares_wrap').strerror(bad);
  },
  // A check of V8's own: this function wants a string.
  check() {
    tell({ way: 'check' });
    new Function('%CreatePrivateSymbol(1)')();
  },
  assert() {
    tell({ way: 'assert' });
    const { internalBinding } = require('internal/test/binding');
    internalBinding('fs').open();
  },
  segv() {
    tell({ way: 'segv', pid: process.pid });
    process.kill(process.pid, 'SIGSEGV');
    for (;;);
  },
};
ways[process.argv[2]](process.argv[3]);
