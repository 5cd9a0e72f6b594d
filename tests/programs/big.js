'use strict';
// The heap of heap.js, and how long V8 took to write its snapshot of it: for benchmarks.
// usage: big.js [N=20000] --snapshot
const v8 = require('v8');
const { tell } = require('./truth.js');

const write = v8.writeHeapSnapshot;
v8.writeHeapSnapshot = (file) => {
  const start = process.hrtime.bigint();
  const used = process.cpuUsage();
  const written = write(file);
  const { user, system } = process.cpuUsage(used);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  tell({ snapshot: { seconds, cpuSeconds: (user + system) / 1e6 } });
  return written;
};
require('./heap.js');
