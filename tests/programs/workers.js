'use strict';
// Several isolates: the main thread and three workers, each with known numbers of known classes,
// a known stack and V8's own snapshot of its heap (heap-THREAD.heapsnapshot).
// Worker 3 has no JavaScript on its stack: it waits in its event loop, for an answer that an async
// function of it awaits.
// usage: workers.js [--wait]
const v8 = require('v8');
const { Worker, isMainThread, workerData } = require('worker_threads');
const { tell, lastStep } = require('./truth.js');

// In every thread, as many as belong to it.
class Shared {
  constructor(id) {
    this.id = id;
    this.text = `shared ${id}`;
  }
}
class MainOnly {}
class WorkerOnly {}
class OfOne {}
class OfTwo {}
class Basket extends Map {}

const COUNTS = [
  { Shared: 1000, MainOnly: 50, WorkerOnly: 0, OfOne: 0, OfTwo: 0, Basket: 7 },
  { Shared: 200, MainOnly: 0, WorkerOnly: 11, OfOne: 21, OfTwo: 0, Basket: 1 },
  { Shared: 300, MainOnly: 0, WorkerOnly: 12, OfOne: 0, OfTwo: 22, Basket: 2 },
  { Shared: 400, MainOnly: 0, WorkerOnly: 13, OfOne: 0, OfTwo: 0, Basket: 3 },
];

function fill(counts) {
  const classes = { Shared, MainOnly, WorkerOnly, OfOne, OfTwo, Basket };
  const held = [];
  for (const name of Object.keys(counts)) {
    for (let i = 0; i < counts[name]; i++) held.push(new classes[name](name === 'Basket' ? [] : i));
  }
  return held;
}

// What a thread says of itself, with its stack from the caller on.
function account(thread, below) {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = Infinity;
  const here = {};
  Error.captureStackTrace(here, below);
  Error.stackTraceLimit = limit;
  return {
    program: 'workers',
    thread,
    pid: process.pid,
    counts: COUNTS[thread],
    stack: here.stack.split('\n').slice(1).map((line) => line.trim().replace(/^at /, '')),
    argv: process.argv,
  };
}

// Waits for ever in a call from JavaScript, below functions of known names.
class Clerk {
  serve(thread, cells) {
    return this.queue([thread], cells);
  }
  queue(threads, cells) {
    return threads.map((thread) => park(thread, cells));
  }
}
function park(thread, cells) {
  v8.writeHeapSnapshot(`heap-${thread}.heapsnapshot`);
  tell(account(thread, park));
  Atomics.add(cells, 0, 1);
  for (;;) Atomics.wait(cells, thread, 0);
}

async function idle(thread, cells) {
  const { parentPort } = require('worker_threads');
  setTimeout(() => {
    v8.writeHeapSnapshot(`heap-${thread}.heapsnapshot`);
    tell(account(thread, idle));
    Atomics.add(cells, 0, 1);
  }, 10);
  const answer = await new Promise((resolve) => parentPort.once('message', resolve));
  return answer;
}

if (isMainThread) {
  const cells = new Int32Array(new SharedArrayBuffer(64));
  globalThis.held = fill(COUNTS[0]);
  globalThis.workers = [1, 2, 3].map((thread) => new Worker(__filename, { workerData: { thread, cells } }));
  const end = lastStep();
  const watch = setInterval(() => {
    if (Atomics.load(cells, 0) < 3) return;
    clearInterval(watch);
    // Time to come from what it said to where it waits.
    setTimeout(function finish() {
      v8.writeHeapSnapshot('heap-0.heapsnapshot');
      tell(account(0, account));
      end();
    }, 500);
  }, 20);
} else {
  const { thread, cells } = workerData;
  globalThis.held = fill(COUNTS[thread]);
  if (thread === 3) idle(thread, cells);
  else new Clerk().serve(thread, cells);
}
