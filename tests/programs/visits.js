'use strict';
// A web server with the leak of many talks: it keeps every visit in an array that nothing empties. It visits
// itself N times, tells what it holds, and dies.
// usage: visits.js [N=4000] [--snapshot] [--wait]     (with --expose-gc, it also tells how much the visits hold)
// --snapshot writes visits.heapsnapshot (V8's own account of this heap) just before the end.
const http = require('http');
const v8 = require('v8');
const { tell, lastStep, stackFrom } = require('./truth.js');

const n = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) || 4000);
const line = () => stackFrom(line).sites[0].line;

const above = line();
const visits = [];

class Visit {
  constructor(request) {
    this.path = request.url;
    this.headers = request.headers;
    this.at = new Date();
    this.steps = Array.from({ length: 60 }, (_, step) => visits.length + step);
  }
}

function remember(request) {
  visits.push(new Visit(request));
}

const server = http.createServer(function onRequest(request, response) {
  remember(request);
  response.end('hello');
});

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function used() {
  if (typeof gc !== 'function') return 0;
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

let before = 0;

// The first visits warm everything up: the code, the sockets, what Node loads late. V8 keeps the texts of numbers,
// of as many as it ever will from here on.
const warm = 100;
for (let i = 0; i < 100000; i++) String(i);

function visit(port, step) {
  if (step === warm) before = used();
  if (step === n) return setImmediate(end);
  http.get({ agent, port, host: '127.0.0.1', path: `/page/${step}` }, function onResponse(response) {
    response.resume();
    response.on('end', () => visit(port, step + 1));
  });
}

// Made last, and dead at once.
class Gone {
  constructor(id) {
    this.id = id;
  }
}

function waste(count) {
  const gone = [];
  for (let i = 0; i < count; i++) gone.push(new Gone(i));
  return gone.length;
}

// What is left of a call in the stack's memory is not there after this one.
function scrub(depth, ...words) {
  return depth === 0 ? words.length : scrub(depth - 1, ...words) + 1;
}

function end() {
  tell({
    program: 'visits',
    node: process.version,
    visits: visits.length,
    // Where the array is declared, and how much the heap grew by each visit it kept.
    variable: 'visits',
    file: __filename,
    line: above + 1,
    eachHolds: (used() - before) / (n - warm),
    gone: 500,
  });
  const last = lastStep();
  if (process.argv.includes('--snapshot')) v8.writeHeapSnapshot('visits.heapsnapshot');
  waste(500);
  scrub(100, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
  last();
}

server.listen(0, '127.0.0.1', () => visit(server.address().port, 0));
