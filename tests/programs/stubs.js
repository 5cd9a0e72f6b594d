'use strict';
// Loads of a property from objects of so many shapes that V8 leaves them to a stub, which makes no
// frame of its own. A worker ends the process at some moment of it.
const { Worker, isMainThread } = require('worker_threads');

function pick(list) {
  let sum = 0;
  for (let i = 0; i < list.length; i++) {
    sum += list[i].value;
  }
  return sum;
}
function work(list, times) {
  let all = 0;
  for (let i = 0; i < times; i++) {
    all += pick(list);
  }
  return all;
}

if (isMainThread) {
  const shapes = Array.from({ length: 400 }, (_, i) => ({ ['k' + (i % 40)]: i, value: i }));
  new Worker(__filename);
  setTimeout(function main() {
    for (;;) work(shapes, 1e6);
  }, 1);
} else {
  setTimeout(() => process.kill(process.pid, 'SIGABRT'), 700);
}
