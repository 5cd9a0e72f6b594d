'use strict';
// A crowd of requests that wait, and a deep stack: for the benchmark of `v8 async` and `v8 bt`.
// usage: node crowd.js [async functions] [frames]; it prints what it made, and aborts.
const functions = Number(process.argv[2] || 100000);
const frames = Number(process.argv[3] || 1000);
Error.stackTraceLimit = Infinity;

const connections = [];

async function query(sql) {
  await new Promise((resolve) => connections.push({ sql, resolve }));
}

async function loadUser(id) {
  return query(`SELECT * FROM users WHERE id = ${id}`).then((row) => ({ id, row }));
}

async function loadCart(id) {
  await query('SELECT * FROM carts');
}

async function checkout(id) {
  const user = await loadUser(id);
  return user;
}

async function request(id) {
  if (id % 2) await checkout(id);
  else await Promise.all([loadCart(id), checkout(id)]);
}

class Tree {
  walk(depth, label) {
    const next = depth - 1;
    return next > 0 ? [next].map((left) => this.down(left, { label }))[0] : crash(label);
  }

  down(left, options) {
    const name = `${options.label}.${left % 10}`;
    return this.walk(left, name.slice(-20));
  }
}

function crash(label) {
  const stack = new Error(label).stack.split('\n').length - 1;
  console.log(JSON.stringify({ functions: started, frames: stack, heap: process.memoryUsage().heapUsed }));
  process.abort();
}

// Five async functions of an even request wait, three of an odd one: loadUser has given its promise away.
let started = 0;
for (let id = 0; started < functions; id++) {
  request(id);
  started += id % 2 ? 3 : 5;
}
// Once the crowd has come to where it waits; a level is four frames.
setTimeout(() => new Tree().walk(Math.ceil(frames / 4), 'root'), 100);
