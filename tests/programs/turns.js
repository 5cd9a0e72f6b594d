'use strict';
// A process that changes between stops: each line on its standard input is a turn that makes known objects.
// Says {ready: pid} and, after every turn, {turn: N, Turn: number of Turn instances held}; ends with its input.
const fs = require('fs');
const { tell } = require('./truth.js');

class Turn {
  constructor(number) {
    this.number = number;
  }
}

const held = [];
globalThis.held = held;

function turn(number) {
  for (let i = 0; i < 5; i++) held.push(new Turn(number));
  tell({ turn: number, Turn: held.length });
}

turn(1);
tell({ ready: process.pid });
const byte = Buffer.alloc(1);
// The main thread waits in read(2), so that a stop finds it where it was left.
for (let number = 2; fs.readSync(0, byte, 0, 1) === 1; number++) turn(number);
