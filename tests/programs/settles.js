// Async functions that wait, each for something else, and what that is: literally what stands here, or what the
// process says of it (the class of an object, of what async_hooks tells was started, a timer's own length).
// usage: settles.js [--wait]
'use strict';
const asyncHooks = require('async_hooks');
const crypto = require('crypto');
const dns = require('dns');
const fs = require('fs');
const net = require('net');
const { EventEmitter, once } = require('events');
const { promisify } = require('util');
const { tell, lastStep } = require('./truth.js');

const major = parseInt(process.versions.node);
// Enough for V8 to optimize what makes the promises.
const many = 4000;
const kept = [];
const said = {};

class Bus extends EventEmitter {}
class Pool {
  constructor() {
    this.queue = [];
  }
  acquire() {
    return new Promise((resolve, reject) => this.queue.push({ resolve, reject }));
  }
}
class Latch {
  constructor() {
    this.opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}

const waiting = [];
// What sees this one is called by what a list holds, far from it.
const turns = { free: 0, waiting: [] };
const giveTurn = () => turns.waiting.shift()();
const handle = () => giveTurn();
class Route {
  constructor() {
    this.stack = [{ handle }];
  }
}
module.exports = new Route();
const callbacks = [];
const byKey = new Map();
const members = new Set();
const pool = new Pool();
const latch = new Latch();
const bus = new Bus();
const deferred = {};
deferred.promise = new Promise((resolve) => (deferred.resolve = resolve));
const never = new Promise(() => {});
let wake;
let adopt;
const adopted = new Promise((resolve) => (adopt = resolve));
adopt(never);
const shared = new Promise((resolve) => setTimeout(resolve, 3000000));
const guarded = new Promise((resolve) => setTimeout(resolve, 3100000));
guarded.catch(() => {});
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const ways = {
  async inQueue() {
    await new Promise((resolve) => waiting.push(resolve));
  },
  async inCallbacks() {
    await new Promise((resolve) => callbacks.push({ done: () => resolve(1) }));
  },
  async inPool() {
    await pool.acquire();
  },
  async inTurns() {
    await new Promise((resolve) => turns.waiting.push(resolve));
  },
  async inMap() {
    await new Promise((resolve) => byKey.set(byKey.size, resolve));
  },
  async inSet() {
    await new Promise((resolve) => members.add(resolve));
  },
  async inVariable() {
    await new Promise((resolve) => {
      wake = resolve;
    });
  },
  async inGlobal() {
    await new Promise((resolve) => {
      globalThis.goOn = resolve;
    });
  },
  async inObject() {
    await deferred.promise;
  },
  async inLatch() {
    await latch.opened;
  },
  async byTimer() {
    await sleep(1000000);
  },
  async byTimers(n) {
    await new Promise((resolve) => setTimeout(() => resolve(n), 1000000 + n));
  },
  async byArgument() {
    await new Promise((resolve) => setTimeout((go) => go(), 1200000, resolve));
  },
  async byPromisified() {
    await promisify(setTimeout)(1300000);
  },
  async byInterval() {
    await new Promise((resolve) => setInterval(() => process.uptime() > 1e6 && resolve(), 1400000));
  },
  async byEvent() {
    await new Promise((resolve) => bus.on('go', () => resolve()));
  },
  async byListeners() {
    await new Promise((resolve) => {
      bus.on('crowd', () => {});
      bus.on('crowd', resolve);
    });
  },
  async byOnce() {
    await once(bus, 'ready');
  },
  async bySocket() {
    await new Promise((resolve, reject) => socket.once('data', resolve).on('error', reject));
  },
  async inTime() {
    await new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('late')), 1500000);
      bus.once('in time', (value) => {
        clearTimeout(late);
        resolve(value);
      });
    });
  },
  async thenOfTimer() {
    await sleep(1600000).then((x) => x).finally(() => {});
  },
  async behindTimer() {
    await new Promise((resolve) => {
      sleep(1700000).then(() => resolve());
    });
  },
  async behindAsync() {
    await new Promise(async function later(resolve) {
      await sleep(1800000);
      resolve();
    });
  },
  async forEver() {
    await never;
  },
  async forCleared() {
    const promise = new Promise((resolve) => {
      const timer = setTimeout(() => resolve(), 1900000);
      clearTimeout(timer);
    });
    kept.push(promise);
    await promise;
  },
  async forAdopted() {
    await adopted;
  },
  async byRead() {
    await promisify(fs.read)(pipe, Buffer.alloc(8), 0, 8, null);
  },
  async byCrypto() {
    await promisify(crypto.pbkdf2)('secret', 'salt', 2 ** 30, 64, 'sha512');
  },
  async byLookup() {
    await promisify(dns.lookup)('localhost');
  },
  async byImmediate() {
    await new Promise((resolve) => setImmediate(resolve));
  },
  async byMicrotask() {
    await new Promise((resolve) => queueMicrotask(() => resolve()));
  },
  async byTarget() {
    await new Promise((resolve) => target.addEventListener('open', () => resolve()));
  },
  async byWaitAsync() {
    await Atomics.waitAsync(new Int32Array(new SharedArrayBuffer(8)), 0, 0).value;
  },
  async first() {
    await shared;
  },
  async second() {
    await shared;
  },
  async guard() {
    await guarded;
  },
  async guardian() {
    await ways.guard();
  },
};

// Starts one, and notes what it is settled by.
function start(name, expected, count = 1) {
  for (let n = 0; n < count; n++) kept.push(ways[name](n));
  said[name] = { count, ...expected };
}

// The class of what a function starts, as async_hooks hears of it.
function classOf(name, type) {
  let found;
  const hook = asyncHooks.createHook({
    init(id, kind, trigger, resource) {
      if (type.test(kind)) found = found || resource.constructor.name;
    },
  });
  hook.enable();
  kept.push(ways[name](0));
  hook.disable();
  said[name] = { count: 1, by: { kind: 'native', class: found } };
}

const variable = (name, value) => ({
  by: { kind: 'variable', name, class: value && value.constructor.name },
});
const timeout = (least, most = least) => ({ by: { kind: 'timeout', delay: [least, most] } });
const event = (name, emitter) => ({ by: { kind: 'event', name, class: emitter.constructor.name } });

let socket, pipe, target;
const server = net.createServer(() => {}).listen(0, '127.0.0.1', () => {
  socket = net.connect(server.address().port, '127.0.0.1', run);
});

function run() {
  // A pipe that nobody writes to.
  const { execSync } = require('child_process');
  const path = `${require('os').tmpdir()}/settles-${process.pid}`;
  execSync(`mkfifo ${path}`);
  pipe = fs.openSync(path, 'r+');
  fs.unlinkSync(path);

  start('inQueue', variable('waiting', waiting), many);
  start('inCallbacks', variable('callbacks', callbacks), many);
  start('inTurns', { by: { kind: 'property', class: 'Array', of: null, name: 'waiting' } }, many);
  start('inPool', { by: { kind: 'property', class: 'Array', of: pool.constructor.name, name: 'queue' } }, many);
  start('inMap', variable('byKey', byKey));
  start('inSet', variable('members', members));
  start('inVariable', variable('wake'));
  start('inGlobal', { by: { kind: 'global', name: 'goOn' } });
  start('inObject', variable('deferred', deferred));
  start('inLatch', { by: { kind: 'property', of: latch.constructor.name, name: 'open' } });
  start('byTimer', timeout(1000000));
  start('byTimers', timeout(1000000, 1000000 + many - 1), many);
  start('byArgument', timeout(1200000));
  start('byPromisified', timeout(1300000));
  start('byInterval', { by: { kind: 'interval', delay: [1400000, 1400000] } });
  start('byEvent', event('go', bus), 10);
  start('byListeners', event('crowd', bus));
  // Where `once` is an async function, its promise is settled by another.
  start('byOnce', { ...event('ready', bus), through: 'maybe' });
  start('bySocket', event('data', socket));
  start('inTime', event('in time', bus));
  start('thenOfTimer', { ...timeout(1600000), through: true });
  start('behindTimer', timeout(1700000));
  start('behindAsync', { by: { kind: 'async_function', name: 'later' } });
  start('forEver', { never: true });
  start('forCleared', { never: true });
  start('forAdopted', { never: true, through: true });
  start('first', timeout(3000000));
  start('second', timeout(3000000));
  start('guardian', {});
  delete said.guardian;
  said.guard = { count: 1, ...timeout(3100000) };
  classOf('byRead', /^FSREQ/);
  classOf('byCrypto', /^PBKDF2/);
  if (major >= 16) {
    target = new (class Door extends EventTarget {})();
    start('byTarget', event('open', target));
    start('byWaitAsync', { by: { kind: 'atomics_wait' } });
  }
  setTimeout(() => {
    classOf('byLookup', /^GETADDRINFO/);
    start('byImmediate', { by: { kind: 'immediate' } });
    start('byMicrotask', { by: { kind: 'microtask' } });
    tell({ program: 'settles', said, kept: kept.length });
    lastStep()();
  }, 200);
}
