'use strict';
// Packages of the npm registry at their own work, and what V8 says of chosen moments of it.
// usage: packages.js ADDON DIRECTORY PACKAGE SEED MOMENTS [soon]
//   ADDON      forked.c, built
//   DIRECTORY  where the packages are installed; cores are written to the working directory
//   soon       at no special moment: only the cores are taken
// Once the work has run for a while (so that V8 has optimized it), each moment is one line of output, with the core
// beside it, and the program goes on when it is answered with a line.
const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');
const inspector = require('inspector');
const { tell, stackFrom } = require('./truth.js');
const jobs = require('./packagejobs.js');

const [addon, directory, name, seedText, countText, way] = process.argv.slice(2);
const forked = require(addon);
const need = createRequire(path.join(directory, 'index.js'));

let seed = Number(seedText) * 7919 + name.length;
function random(below) {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  return Math.floor((seed / 4294967296) * below);
}

// [calls of `tick` so far, the one that is the moment]. Read through an array, and called among many,
// so that neither makes the compilers give up what they had assumed.
const state = new Float64Array([0, -1]);
const steps = [
  (n) => n, (n) => n + 1, (n) => n + 2, (n) => n + 3, (n) => n + 4,
  function moment() { moments(); },
];
function tick() {
  const n = state[0]++;
  steps[n === state[1] ? 5 : n % 5](n);
}

// Builtins that call `tick` first. By `Reflect.apply`, and by a call with the parameters that most have.
const call = Function.prototype.call;
const wrappers = [
  (original, key) => ({ [key](...all) { tick(); return Reflect.apply(original, this, all); } })[key],
  (original, key) => {
    const bound = call.bind(original);
    return ({ [key](a) { tick(); return arguments.length < 2 ? bound(this, a) : Reflect.apply(original, this, arguments); } })[key];
  },
  (original) => function () { tick(); return original.apply(this, arguments); },
];
const builtins = [
  [String.prototype, 'charCodeAt slice replace indexOf split trim startsWith toLowerCase substring match charAt concat'],
  [Array.prototype, 'push map forEach join slice indexOf concat filter some sort reduce pop shift every includes'],
  [Map.prototype, 'get set has forEach'],
  [WeakMap.prototype, 'get set has'],
  [Set.prototype, 'has add forEach'],
  [Object, 'keys assign create defineProperty getPrototypeOf entries freeze'],
  [Object.prototype, 'hasOwnProperty toString'],
  [RegExp.prototype, 'exec test toString'],
  [Math, 'max min floor abs sqrt sin round'],
  [Array, 'isArray from'],
  [JSON, 'stringify parse'],
  [Number.prototype, 'toString toFixed'],
  [Date.prototype, 'getTime getFullYear getHours'],
  [Promise.prototype, 'then'],
  [Reflect, 'get set ownKeys'],
  [String, 'fromCharCode'],
  [Buffer.prototype, 'toString write copy utf8Write'],
  [process, 'nextTick'],
  [require('events').prototype, 'emit on'],
];
function wrapBuiltins() {
  const all = [];
  for (const [holder, keys] of builtins) for (const key of keys.split(' ')) all.push([holder, key]);
  for (let left = 14; left > 0; left--) {
    const [holder, key] = all.splice(random(all.length), 1)[0];
    const was = Object.getOwnPropertyDescriptor(holder, key);
    if (!was || typeof was.value !== 'function') continue;
    const value = wrappers[random(wrappers.length)](was.value, key);
    Object.defineProperty(holder, key, { value, writable: true, enumerable: was.enumerable, configurable: true });
  }
}

// The inspector's, and what is told of the moment.
let session;
let record;

// What V8's inspector says a value is.
function shown(value) {
  const own = value.unserializableValue;
  switch (value.type) {
    case 'undefined': return 'undefined';
    case 'string': return { text: value.value.slice(0, 1000) };
    case 'number': return { number: own === undefined ? String(value.value) : own };
    case 'bigint': return own.replace('n', '');
    case 'function': {
      let name = '';
      const functionDeclaration = `function () {
        const own = Object.getOwnPropertyDescriptor(this, 'name');
        return own && typeof own.value === 'string' ? own.value : '?';
      }`;
      session.post('Runtime.callFunctionOn', { objectId: value.objectId, functionDeclaration, returnByValue: true },
        (error, answer) => { name = error ? '?' : answer.result.value; });
      return `[function ${name}]`;
    }
    case 'object':
      if (value.subtype === 'null') return 'null';
      if (value.subtype === 'array') return `[array ${/\d+/.exec(value.description)}]`;
      return `[object ${value.className}]`;
    default: return value.type === 'boolean' ? String(value.value) : `[${value.type}]`;
  }
}

const scopesToTell = ['local', 'block', 'catch', 'with', 'closure', 'module', 'eval'];
function paused(message) {
  for (const frame of message.params.callFrames.slice(1, 41)) {
    const scopes = [];
    for (const scope of frame.scopeChain) {
      if (!scopesToTell.includes(scope.type)) continue;
      session.post('Runtime.getProperties', { objectId: scope.object.objectId, ownProperties: true }, (error, answer) => {
        // What is further out may be hidden by what is not told.
        if (error || answer.result.length > 400) return void scopes.push({ type: scope.type, values: null });
        const values = {};
        for (const own of answer.result) values[own.name] = own.value ? shown(own.value) : null;
        scopes.push({ type: scope.type, name: scope.name, values });
      });
    }
    record.frames.push({
      name: frame.functionName,
      line: frame.location.lineNumber + 1,
      column: frame.location.columnNumber + 1,
      self: shown(frame.this),
      scopes,
    });
  }
}

function moments() {
  state[1] = -1;
  record = { name, stack: '', frames: [] };
  const take = [
    function stack() { record.stack = stackFrom(stack).stack; },
    forked.dump,
    function scopes() {
      session.post('Debugger.enable');
      debugger;
      session.post('Debugger.disable');
    },
  ];
  for (let i = 0; i < take.length; i++) {
    take[i](process.cwd());
  }
  tell(record);
  awaitAnswer();
  hits++;
}

let hits = 0;
function awaitAnswer() {
  const one = Buffer.alloc(1);
  while (one[0] !== 10) {
    try {
      if (fs.readSync(0, one, 0, 1) === 0) process.exit();
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

async function main() {
  wrapBuiltins();
  session = new inspector.Session();
  session.connect();
  session.on('Debugger.paused', paused);
  const work = await jobs[name](need, tick, directory);
  const end = Date.now() + 2000;
  let ticks = 0;
  let micros = 0;
  for (let round = 0; round < 8 || Date.now() < end; round++) {
    const before = state[0];
    const started = process.cpuUsage();
    await work(round);
    ticks = state[0] - before;
    const used = process.cpuUsage(started);
    micros = used.user + used.system;
  }
  tell({ ready: process.pid, ticks, micros });
  for (let left = Number(countText), tries = left * 4; left > 0 && tries > 0; tries--) {
    const before = hits;
    if (way === 'soon') {
      forked.dumpSoon(process.cwd(), random(2 * micros) + 100);
      for (let i = 0; i < 400 && !forked.hasDumped(); i++) await work(i);
      if (!forked.hasDumped()) continue;
      tell({ name });
      awaitAnswer();
      left--;
      continue;
    }
    state[1] = state[0] + random(ticks);
    await work(tries);
    if (hits !== before) left--;
  }
  tell({ over: true });
  process.exit();
}

setImmediate(main);
