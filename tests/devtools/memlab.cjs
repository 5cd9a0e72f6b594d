// What memlab (npm @memlab/heap-analysis) says of a snapshot, as JSON lines for the tests to compare with: the header,
// then a sample of nodes (a thousand and the top hundred).
// usage: node memlab.cjs MODULES FILE
//   MODULES  a directory whose node_modules holds @memlab/heap-analysis
'use strict';
const {createRequire} = require('node:module');
const path = require('node:path');

const [modules, file] = process.argv.slice(2);
const {getFullHeapFromFile} = createRequire(path.resolve(modules, 'x.js'))('@memlab/heap-analysis');
// It draws its progress on standard output, where only our lines are to be.
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = () => true;
console.log = console.warn = console.error = () => {};

(async () => {
  const heap = await getFullHeapFromFile(path.resolve(file));
  const count = heap.nodes.length;
  const retained = [];
  for (let i = 0; i < count; i++) retained.push(Number(heap.nodes.get(i).retainedSize));
  const sample = new Set();
  for (let i = 0; i < 1000; i++) sample.add(Math.floor((i * count) / 1000));
  const top = retained.map((_, i) => i).sort((a, b) => retained[b] - retained[a]);
  for (const i of top.slice(0, 100)) sample.add(i);
  const lines = [{nodes: count}];
  for (const i of sample) {
    const node = heap.nodes.get(i);
    lines.push({
      node: i,
      id: node.id,
      name: node.name,
      self: node.self_size,
      retained: retained[i],
    });
  }
  write(lines.map(line => JSON.stringify(line) + '\n').join(''), () => process.exit(0));
})();
