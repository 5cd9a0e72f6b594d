// What a compiler makes of a file that is not there: mapped.ts, which the source map at the end
// holds. Says what Node makes of a stack in it (--enable-source-maps), then ends.
const { tell, lastStep } = require('./truth.js');
function fail(steps) {
  for (const step of steps)
    step();
}
function said() {
  tell({ program: 'mapped', node: process.version, stack: new Error('said').stack });
}
fail([said, lastStep()]);
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjogMywgImZpbGUiOiAibWFwcGVkLmpzIiwgInNvdXJjZXMiOiBbIm1hcHBlZC50cyJdLCAibmFtZXMiOiBbXSwgIm1hcHBpbmdzIjogIjs7O0FBSU8sU0FBUztFQUNkO0lBQ0U7QUFFSiIsICJzb3VyY2VzQ29udGVudCI6IFsiaW50ZXJmYWNlIFN0ZXAge1xuICAoKTogdm9pZDtcbn1cblxuZXhwb3J0IGZ1bmN0aW9uIGZhaWwoc3RlcHM6IFN0ZXBbXSk6IHZvaWQge1xuICBmb3IgKGNvbnN0IHN0ZXAgb2Ygc3RlcHMpIHtcbiAgICBzdGVwKCk7XG4gIH1cbn1cbiJdfQ==
