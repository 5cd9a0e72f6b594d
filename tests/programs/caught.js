'use strict';
// Lives, and has caught errors of many kinds: nothing of that is a death.
const { MessageChannel } = require('worker_threads');
const { tell } = require('./truth.js');

const caught = [];
const attempt = (act) => {
  try {
    act();
  } catch (error) {
    caught.push(error);
  }
};
function again() {
  again();
}
for (let i = 0; i < 20; i++) {
  attempt(() => null.property);
  attempt(() => process.emit('error', new Error('emitted')));
  attempt(() => new MessageChannel().port1.postMessage(() => {}));
  attempt(() => JSON.parse('{'));
  attempt(again);
}
process.on('uncaughtException', (error) => caught.push(error));
process.on('unhandledRejection', (reason) => caught.push(reason));
setTimeout(() => {
  throw new Error('handled');
}, 1);
Promise.reject(new Error('handled too'));
// Busy, with one error after the other, or at rest.
setTimeout(() => {
  tell({ ready: process.pid });
  const busy = process.argv[2] === 'busy';
  while (busy) attempt(() => JSON.parse('{'));
}, 100);
setInterval(() => {}, 1000);
