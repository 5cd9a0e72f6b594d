//! The target's V8, and whether the tables fit it.

use crate::error::{Error, Result};
use crate::heap::{HeapIndex, Isolates, MapInfo};
use crate::metadata::{tables, InstanceType, Layout, Resolved};
use crate::object::{Cx, HeapObject, Map};
use crate::program::Program;
use crate::target::Target;

/// The target's V8: where it is and how it lays out its objects.
pub struct V8 {
    pub program: Program,
    pub layout: Layout,
    /// Every constant with its source.
    pub resolved: Vec<Resolved>,
    /// What the user should know before trusting what follows.
    pub warnings: Vec<String>,
    /// There are tables for its very line.
    pub is_known: bool,
}

/// Bytes of the heap in a thousand that may be not understood with tables of another line.
const MOST_UNKNOWN: u64 = 2;

impl V8 {
    /// Refuses a heap that the tables do not fit.
    pub(crate) fn check_heap(&self, heap: &HeapIndex) -> Result<()> {
        let coverage = &heap.coverage;
        let per_mille =
            coverage.unknown_bytes.saturating_mul(1000) / coverage.object_bytes.saturating_add(1);
        if self.is_known || per_mille <= MOST_UNKNOWN {
            return Ok(());
        }
        Err(Error::other(format!(
            "V8 {} is not in the version tables, and {} bytes of its heap do not decode with those \
             of another version: no answer about the heap would be right",
            self.program.version, coverage.unknown_bytes
        )))
    }

    /// Refuses classes where functions, after which they are named, are not told from other
    /// objects.
    pub(crate) fn check_classes(&self, heap: &HeapIndex, cx: Cx<'_>) -> Result<()> {
        let types = &self.layout.types;
        let is_strange = |info: &&MapInfo| {
            info.kind == InstanceType::Unknown
                && types.is_js_receiver(info.number)
                && Map(HeapObject::new(cx, info.address)).is_callable() == Ok(true)
        };
        let strange = heap.maps.iter().find(is_strange);
        match strange.filter(|_| !self.is_known) {
            None => Ok(()),
            Some(info) => Err(Error::other(format!(
                "V8 {} is not in the version tables, and it has functions of a type ({}) that is \
                 not known: classes would be misnamed",
                self.program.version, info.number
            ))),
        }
    }

    pub(crate) fn find(target: &dyn Target) -> Result<V8> {
        V8::of(target, Program::find(target)?)
    }

    pub(crate) fn of(target: &dyn Target, program: Program) -> Result<V8> {
        let version = program.version;
        let line = version.line();
        let is_known = tables::has_line(line);
        let (mut layout, mut resolved) = Layout::resolve(version, &program.v8dbg);
        let mut warnings = Vec::new();
        if !is_known {
            let near = tables::nearest(line);
            warnings.push(format!(
                "V8 {version} is not in the version tables; the nearest, of {}.{}, is used, and \
                 what does not look right is refused",
                near.0, near.1
            ));
            // Its pages may be those of the next version already.
            if let Some(newer) = tables::newer(line) {
                let (other, log) = Layout::resolve_as(version, newer, &program.v8dbg);
                if Isolates::find(target, &layout).is_err()
                    && Isolates::find(target, &other).is_ok()
                {
                    (layout, resolved) = (other, log);
                }
            }
        }
        Ok(V8 {
            program,
            layout,
            resolved,
            warnings,
            is_known,
        })
    }
}
