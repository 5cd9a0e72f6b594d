'use strict';
// A web server at work, asked by itself, with live handles and requests of every common kind; then it dies.
// usage: server.js [--snapshot] [--wait]
// --snapshot writes server.heapsnapshot (V8's own account of this heap) just before the end.
// It tells what Node says is active (process._getActiveHandles and _getActiveRequests) right before the end.
const http = require('http');
const net = require('net');
const fs = require('fs');
const dgram = require('dgram');
const dns = require('dns');
const path = require('path');
const stream = require('stream');
const zlib = require('zlib');
const crypto = require('crypto');
const child_process = require('child_process');
const { Worker, MessageChannel } = require('worker_threads');
const { tell, lastStep, stackFrom } = require('./truth.js');

const sessions = new Map();
const kept = { handles: [], intervals: [], sockets: [] };

class Session {
  constructor(id, remote) {
    this.id = id;
    this.remote = remote;
    this.started = Date.now();
    this.requests = 0;
  }
}

class Answer extends stream.Transform {
  constructor(session) {
    super();
    this.session = session;
  }
  _transform(chunk, encoding, done) {
    done(null, String(chunk).toUpperCase());
  }
}

async function later(milliseconds, value) {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return value;
}

// Requests to /slow get no answer: they are what the server is busy with when it dies.
const server = http.createServer(async function onRequest(request, response) {
  const id = request.headers['x-session'] || 'none';
  const session = sessions.get(id) || new Session(id, request.socket.remotePort);
  sessions.set(id, session);
  session.requests++;
  if (request.url === '/slow') {
    session.pending = later(1000000, 'never').then((value) => response.end(value));
    return;
  }
  const answer = new Answer(session);
  answer.pipe(response);
  answer.end(await later(1, `hello ${id}`));
});

function ask(port, url, id) {
  return new Promise((resolve, reject) => {
    const request = http.get({ port, host: '127.0.0.1', path: url, headers: { 'x-session': id } }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (body += chunk));
      response.on('end', () => resolve(body));
    });
    request.on('error', reject);
    kept.sockets.push(request);
  });
}

const nameOf = (one) => (one && one.constructor && one.constructor.name) || null;

function finish(port) {
  // Work that is in the thread pool or the kernel at the end. Begun in this turn, it cannot be done before it ends.
  fs.readFile(__filename, function onRead() {});
  fs.stat(__filename, function onStat() {});
  fs.promises.readdir('.').then(function onNames() {});
  dns.lookup('localhost', function onLookup() {});
  crypto.pbkdf2('password', 'salt', 1000000, 64, 'sha512', function onKey() {});
  crypto.randomBytes(1 << 20, function onBytes() {});
  zlib.deflate(Buffer.alloc(1 << 22, 'text'), function onDeflated() {});
  net.connect(port, '127.0.0.1', function onConnect() {});
  setTimeout(function dueLater(a) {}, 60000, 'timer argument');
  setImmediate(function immediately() {});
  process.nextTick(function nextTick() {});
  Promise.resolve().then(function microtask() {});
  const steps = [
    function sayAll() {
      tell({
        program: 'server',
        node: process.version,
        pid: process.pid,
        port,
        handles: process._getActiveHandles().map(nameOf),
        // The wraps behind them, where a handle shows its own; null where it hides it (a datagram socket).
        wraps: process._getActiveHandles().map((one) => nameOf(one._handle === undefined ? null : one._handle)),
        requests: process._getActiveRequests().map(nameOf),
        resources: process.getActiveResourcesInfo ? process.getActiveResourcesInfo() : null,
        sessions: [...sessions.values()],
        kept: { intervals: kept.intervals.length, handles: kept.handles.map(nameOf) },
        process: {
          pid: process.pid, platform: process.platform, arch: process.arch, version: process.version, title: process.title,
          versions: process.versions, release: process.release, execPath: process.execPath, argv: process.argv,
          execArgv: process.execArgv, cwd: process.cwd(), uptime: process.uptime(),
        },
        stack: stackFrom(sayAll).stack,
      });
    },
    function writeSnapshot() {
      if (process.argv.includes('--snapshot')) require('v8').writeHeapSnapshot('server.heapsnapshot');
    },
    lastStep(),
  ];
  for (let i = 0; i < steps.length; i++) steps[i]();
}

server.listen(0, '127.0.0.1', async function onListening() {
  const { port } = server.address();
  for (let i = 0; i < 5; i++) await ask(port, '/', `session ${i}`);
  ask(port, '/slow', 'slow one').catch(() => {});
  ask(port, '/slow', 'slow two').catch(() => {});

  kept.intervals.push(setInterval(function tick() {}, 100000));
  const pipe = path.join(process.cwd(), 'server.sock');
  try {
    fs.unlinkSync(pipe);
  } catch (_) {
    // It was not there.
  }
  kept.handles.push(net.createServer(function onPipe() {}).listen(pipe));
  const udp = dgram.createSocket('udp4');
  udp.bind(0, '127.0.0.1');
  kept.handles.push(udp);
  kept.handles.push(fs.watch('.', function onChange() {}));
  kept.handles.push(child_process.spawn(process.execPath, ['-e', 'setTimeout(() => {}, 5000)'], { stdio: ['pipe', 'pipe', 'ignore'] }));
  const channel = new MessageChannel();
  channel.port1.on('message', function onMessage() {});
  kept.handles.push(channel.port1);
  const worker = new Worker('require("worker_threads").parentPort.on("message", function inWorker() {}); require("worker_threads").parentPort.postMessage("up");', { eval: true });
  kept.handles.push(worker);
  process.on('SIGUSR2', function onSignal() {});
  await new Promise((resolve) => worker.once('message', resolve));
  await later(20);
  finish(port);
});
