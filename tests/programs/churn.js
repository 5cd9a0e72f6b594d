'use strict';
// Allocates without a pause, so that a core taken at any moment falls into allocations, scavenges, marking and
// sweeping. What it holds stays the same in number: of `Keeper` exactly KEEPERS are held at every moment, of
// `Turnover`, which are replaced one by one, TURNOVERS; and by WORKERS threads as many each.
// Says {KEEPERS, TURNOVERS}, then {ready: pid} once all of that is there. Node from 12 on.
const { Worker, isMainThread } = require('worker_threads');
const v8 = require('v8');
const vm = require('vm');
const { tell } = require('./truth.js');

const KEEPERS = 5000;
const TURNOVERS = 3000;
const WORKERS = Number(process.argv[2] || 0);
// With a second argument V8 moves all that it can, again and again.
const COMPACTS = process.argv[3] === 'compact';

class Keeper {
  constructor(number) {
    this.number = number;
    this.name = `keeper ${number}`;
    this.next = null;
  }
}

class Turnover {
  constructor(number) {
    this.number = number;
    this.half = number / 2 + 0.25;
    this.parts = [number, `part ${number % 100}`, { number }];
  }
}

const keepers = Array.from({ length: KEEPERS }, (_, i) => new Keeper(i));
const turnovers = Array.from({ length: TURNOVERS }, (_, i) => new Turnover(i));
for (let i = 1; i < KEEPERS; i++) keepers[i - 1].next = keepers[i];
const map = new Map();
const set = new Set();
const buffers = new Array(64).fill(null);
const weak = new WeakMap();
const ring = new Array(20000).fill(null);
globalThis.held = { keepers, turnovers, map, set, buffers, weak, ring };

let seed = 12345;
function random(below) {
  seed = (seed * 1103515245 + 12345) & 0x7fffffff;
  return seed % below;
}

// Objects that die young, that die old, and that never die.
function turn(number) {
  const at = random(TURNOVERS);
  turnovers[at] = new Turnover(number);
  const key = { number };
  weak.set(key, new Array(random(20)).fill(number));
  ring[number % ring.length] = { key, text: `${number} of ${at}`.repeat(1 + (number % 5)), list: [at, number, key] };
  map.set(number % 3000, [number, new Date(number)]);
  map.delete(random(3000));
  set.add(`entry ${number % 2000}`);
  if (number % 7 === 0) set.delete(`entry ${random(2000)}`);
  if (number % 50 === 0) buffers[random(buffers.length)] = Buffer.alloc(random(20000));
  if (number % 2000 === 0) buffers[random(buffers.length)] = new Array(150000).fill(number);
  // Old objects point to young ones, and to others.
  keepers[random(KEEPERS)].next = keepers[random(KEEPERS)];
}

if (isMainThread) {
  for (let i = 0; i < WORKERS; i++) new Worker(__filename, { argv: ['0'] });
}
let collect = () => {};
if (COMPACTS) {
  // What it is called from V8 10 on, and before.
  for (const flag of ['--compact-on-every-full-gc', '--always-compact', '--expose-gc']) v8.setFlagsFromString(flag);
  collect = vm.runInNewContext('gc');
}
let number = 0;
function burst() {
  collect();
  for (let end = number + 20000; number < end; ) turn(number++);
  if (isMainThread && number === 100000) {
    tell({ KEEPERS, TURNOVERS });
    tell({ ready: process.pid });
  }
  setImmediate(burst);
}
burst();
