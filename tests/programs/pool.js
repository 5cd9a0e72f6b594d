'use strict';
// A pool of workers that have done what they were asked and wait in their event loops for more: no
// JavaScript is on their stacks, but what their last calls left there is.
const { Worker, isMainThread, parentPort } = require('worker_threads');
const { tell, lastStep } = require('./truth.js');

if (isMainThread) {
  const end = lastStep();
  let answers = 0;
  const workers = [1, 2].map(() => new Worker(__filename));
  const answered = () => {
    answers += 1;
    if (answers < workers.length) return;
    // Time for them to come to where they wait.
    setTimeout(() => {
      tell({ program: 'pool', pid: process.pid, workers: workers.length });
      end();
    }, 500);
  };
  for (const worker of workers) {
    worker.once('message', answered);
    worker.postMessage(10);
  }
} else {
  const sum = (n) => (n === 0 ? 0 : n + sum(n - 1));
  parentPort.on('message', async (n) => {
    await null;
    parentPort.postMessage(sum(n));
  });
}
