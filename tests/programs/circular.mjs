// It imports what importer.mjs has not declared yet; see modules.js.
import main, { lateExport, LateClass, first, exported, reexported as again } from './importer.mjs';
import { older as renamed } from './importer.mjs';

export const own = -1;
export function look(next) {
  let seen = first;
  sink(() => [lateExport, LateClass]);
  note('circular.mjs', { main, first, exported, again, renamed, own, look }, ['lateExport', 'LateClass']);
  note('look', { next, seen });
  next();
}
