'use strict';
// How a test program says what it knows of itself, and how it ends. Runs on every Node from 12 on.
const fs = require('fs');

// One JSON line on standard output. Synchronous: the process dies right after.
function tell(record) {
  const bytes = Buffer.from(JSON.stringify(record) + '\n');
  let at = 0;
  while (at < bytes.length) {
    try {
      at += fs.writeSync(1, bytes, at);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

// The last step of a program: dies, or with `--wait` stays right here for a debugger to attach.
// It is returned, not called, so that the caller's own frame makes the call.
function lastStep() {
  if (!process.argv.includes('--wait')) return process.abort;
  const cell = new Int32Array(new SharedArrayBuffer(4));
  return function wait() {
    tell({ ready: process.pid });
    Atomics.wait(cell, 0, 0);
  };
}

// The call sites of an error as V8 gives them, as plain data.
function structured(error, sites) {
  const ask = (site, name) => {
    try {
      const value = typeof site[name] === 'function' ? site[name]() : undefined;
      return value === undefined ? null : value;
    } catch (_) {
      return null;
    }
  };
  return sites.map((site) => ({
    text: String(site),
    functionName: ask(site, 'getFunctionName'),
    typeName: ask(site, 'getTypeName'),
    methodName: ask(site, 'getMethodName'),
    file: ask(site, 'getFileName'),
    line: ask(site, 'getLineNumber'),
    column: ask(site, 'getColumnNumber'),
    // Where the function begins, on the releases whose call sites say so.
    definedLine: ask(site, 'getEnclosingLineNumber'),
    definedColumn: ask(site, 'getEnclosingColumnNumber'),
    isConstructor: ask(site, 'isConstructor'),
    isToplevel: ask(site, 'isToplevel'),
    isNative: ask(site, 'isNative'),
    isEval: ask(site, 'isEval'),
    evalOrigin: ask(site, 'getEvalOrigin'),
    isAsync: ask(site, 'isAsync'),
    isPromiseAll: ask(site, 'isPromiseAll'),
  }));
}

// The stack above `below` (a function on it, left out with all it called) as text and as data.
function stackFrom(below) {
  const limit = Error.stackTraceLimit;
  const prepare = Error.prepareStackTrace;
  Error.stackTraceLimit = Infinity;
  const said = {};
  Error.prepareStackTrace = (error, sites) => structured(error, sites);
  const one = {};
  Error.captureStackTrace(one, below);
  said.sites = one.stack;
  Error.prepareStackTrace = undefined;
  const two = {};
  Error.captureStackTrace(two, below);
  said.stack = two.stack;
  Error.prepareStackTrace = prepare;
  Error.stackTraceLimit = limit;
  return said;
}

module.exports = { tell, lastStep, stackFrom };
