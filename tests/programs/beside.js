// As mapped.js, without a word of its source map: the test puts that beside it, as FILE.map.
// A line for the one that mapped.js has here.
const { tell, lastStep } = require('./truth.js');
function fail(steps) {
  for (const step of steps)
    step();
}
function said() {
  tell({ program: 'beside', node: process.version, stack: new Error('said').stack });
}
fail([said, lastStep()]);
