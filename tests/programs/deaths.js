'use strict';
// More ways to die than died.js has, of errors: by where they are thrown, and by who throws them.
// usage: deaths.js WAY, with --abort-on-uncaught-exception; deaths.js fault LIBRARY
const assert = require('assert');
const EventEmitter = require('events');
const vm = require('vm');
const { Readable } = require('stream');
const { Worker } = require('worker_threads');
const { tell } = require('./truth.js');

const fail = (where) => {
  throw new Error(`thrown ${where}`);
};
const ways = {
  timer: () => setTimeout(() => fail('in a timer'), 1),
  tick: () => process.nextTick(() => fail('in a tick')),
  microtask: () => queueMicrotask(() => fail('in a microtask')),
  exit: () => process.on('exit', () => fail('at the exit')),
  iterator: async () => {
    const steps = async function* () {
      yield 1;
      fail('in an iterator');
    };
    for await (const step of steps()) void step;
  },
  stream: () => new Readable({ read() { this.destroy(new Error('of a stream')); } }).resume(),
  emitted: () => new EventEmitter().emit('error', { status: 5 }),
  asserted: () => assert.deepStrictEqual({ a: 1, b: [1, 2] }, { a: 2, b: [1, 3] }),
  any: () => void Promise.any([Promise.reject(new Error('one')), Promise.reject(2)]),
  vm: () => vm.runInNewContext('(function inside() { null.property; })()', {}, 'inside.js'),
  vmObject: () => vm.runInNewContext('throw { a: 1, list: [1, { b: 2 }] }'),
  syntax: () => vm.runInThisContext('let let = 1', 'bad.js'),
  worker: () => new Worker('setTimeout(() => { throw new TypeError("in a worker") }, 1)', { eval: true }),
  missing: () => require('./there-is-none.js'),
  domain: () => require('domain').create().run(() => fail('in a domain')),
  // A library that accesses memory where there is none, when it is loaded.
  fault: () => process.dlopen({ exports: {} }, process.argv[3]),
  module: () => void import('./rejects.mjs'),
  rejected: () => void Promise.reject(new RangeError('rejected')),
};
// Which flags the rejections go with are the test's.
tell({ way: process.argv[2] });
ways[process.argv[2]]();
