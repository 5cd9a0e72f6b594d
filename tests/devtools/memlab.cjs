// What memlab (npm @memlab/heap-analysis) says of a snapshot, as JSON lines for the tests to compare with: the header,
// then a sample of nodes (a thousand and the top hundred), each with memlab's own path to it, from a root on: for each
// edge the ids it is from and to, its type and its name. Then each edge of our paths that memlab's graph lacks.
// usage: node memlab.cjs MODULES FILE PATHS
//   MODULES  a directory whose node_modules holds @memlab/heap-analysis
//   PATHS    our paths, as JSON: lists of edges in the same form
'use strict';
const {createRequire} = require('node:module');
const fs = require('node:fs');
const path = require('node:path');

const [modules, file, paths] = process.argv.slice(2);
const {getFullHeapFromFile} = createRequire(path.resolve(modules, 'x.js'))('@memlab/heap-analysis');
// It draws its progress on standard output, where only our lines are to be.
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = () => true;
console.log = console.warn = console.error = () => {};

function pathTo(node) {
  const edges = [];
  const seen = new Set();
  for (let edge = node.pathEdge; edge && !seen.has(edge.toNode.id); edge = edge.fromNode.pathEdge) {
    seen.add(edge.toNode.id);
    edges.unshift([edge.fromNode.id, edge.toNode.id, edge.type, String(edge.name_or_index)]);
  }
  return edges;
}

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
      path: pathTo(node),
    });
  }
  for (const edges of JSON.parse(fs.readFileSync(paths, 'utf8'))) {
    for (const [from, to, type, name] of edges) {
      const same = edge => edge.toNode.id === to && edge.type === type && String(edge.name_or_index) === name;
      const node = heap.getNodeById(from);
      if (!node || !node.references.some(same)) lines.push({lacks: [from, to, type, name]});
    }
  }
  write(lines.map(line => JSON.stringify(line) + '\n').join(''), () => process.exit(0));
})();
