//! Broken objects in a made-up heap: one bad part must not spoil the others.

use super::*;
use crate::memory::SparseMemory;
use crate::metadata::{InstanceType, Layout, V8Version, V8dbg};

const META: u64 = 0x1000;
const STRING_MAP: u64 = 0x1100;
const OBJECT_MAP: u64 = 0x1200;
const DESCRIPTOR_MAP: u64 = 0x1300;
const NULL: u64 = 0x1400;
const ODDBALL_MAP: u64 = 0x1500;
const DESCRIPTORS: u64 = 0x2000;
const NAME_A: u64 = 0x3000;
const NAME_B: u64 = 0x3040;
const OBJECT: u64 = 0x4000;
const NOWHERE: u64 = 0xdead_0000;

struct Heap {
    memory: SparseMemory,
    layout: Layout,
}

impl Heap {
    /// `{a: 7, b: (a pointer to nowhere)}`, of V8 12.4, with the room that `descriptors` says.
    fn new(own_descriptors: u64, room: u16) -> Heap {
        let (layout, _) = Layout::resolve(V8Version::new(12, 4, 254, 21), &V8dbg::new([]));
        let mut heap = Heap {
            memory: SparseMemory::new(),
            layout,
        };
        for (at, size) in [
            (META, 0x100),
            (STRING_MAP, 0x100),
            (OBJECT_MAP, 0x100),
            (DESCRIPTOR_MAP, 0x100),
            (NULL, 0x100),
            (ODDBALL_MAP, 0x100),
            (DESCRIPTORS, 0x100),
            (NAME_A, 0x40),
            (NAME_B, 0x40),
            (OBJECT, 0x40),
        ] {
            heap.memory.insert(at, vec![0; size]);
        }
        let number = |kind| heap.layout.types.number(kind).expect("a number");
        let object = number(InstanceType::JSObject);
        let descriptor_array = number(InstanceType::DescriptorArray);
        let oddball = number(InstanceType::Oddball);
        heap.map(META, number(InstanceType::Map), 0);
        // A sequential one-byte string.
        heap.map(STRING_MAP, 0x28, 0);
        heap.map(OBJECT_MAP, object, 5);
        heap.map(DESCRIPTOR_MAP, descriptor_array, 0);
        heap.map(ODDBALL_MAP, oddball, 6);
        heap.name(NAME_A, b"a");
        heap.name(NAME_B, b"b");
        heap.word(NULL, ODDBALL_MAP | 1);
        heap.word(NULL + 40, 3 << 32);
        heap.object(own_descriptors, room);
        heap
    }

    fn word(&mut self, at: u64, value: u64) {
        self.memory.insert_u64(at, value);
    }

    fn map(&mut self, at: u64, instance_type: u16, words: u8) {
        self.word(at, META | 1);
        // Size in words and the first in-object property, then the instance type.
        let sizes = u64::from(words) | 3 << 8 | u64::from(instance_type) << 32;
        self.word(at + 8, sizes);
        self.word(at + 24, NULL | 1);
        self.word(at + 32, NULL | 1);
    }

    fn name(&mut self, at: u64, text: &[u8; 1]) {
        self.word(at, STRING_MAP | 1);
        self.word(at + 8, 1 << 32);
        self.word(at + 16, u64::from(text[0]));
    }

    fn object(&mut self, own_descriptors: u64, room: u16) {
        self.word(OBJECT_MAP + 16, own_descriptors << 10);
        self.word(OBJECT_MAP + 40, DESCRIPTORS | 1);
        self.word(DESCRIPTORS, DESCRIPTOR_MAP | 1);
        self.word(DESCRIPTORS + 8, u64::from(room) | u64::from(room) << 16);
        for (index, name) in [NAME_A, NAME_B].into_iter().enumerate() {
            let index = index as u64;
            let at = DESCRIPTORS + 24 + index * 24;
            self.word(at, name | 1);
            // A field, its number, tagged.
            self.word(at + 8, (index << 19 | 4 << 6) << 32);
        }
        self.word(OBJECT, OBJECT_MAP | 1);
        self.word(OBJECT + 16, NULL | 1);
        self.word(OBJECT + 24, 7 << 32);
        self.word(OBJECT + 32, NOWHERE | 1);
    }

    fn detailed(&self) -> Value {
        let cx = Cx {
            memory: &self.memory,
            layout: &self.layout,
        };
        Value::detailed(cx, Tagged(OBJECT | 1), Options::default()).expect("an object")
    }
}

#[test]
fn a_bad_property_leaves_its_neighbours() {
    let value = Heap::new(2, 2).detailed();
    let Some(Section::Properties(items)) = value
        .sections
        .iter()
        .find(|s| matches!(s, Section::Properties(_)))
    else {
        panic!("{value:?}");
    };
    assert_eq!(items.items[0].key, Key::Name("a".into()));
    assert_eq!(
        items.items[0].value,
        Content::Value(Value::bare(Brief::Smi { value: 7 }))
    );
    let Content::Value(bad) = &items.items[1].value else {
        panic!("{items:?}");
    };
    assert_eq!(bad.address, Some(Hex(NOWHERE | 1)));
    let Brief::Unreadable { reason } = &bad.brief else {
        panic!("{bad:?}");
    };
    assert!(reason.contains("cannot read"), "{reason}");
}

#[test]
fn too_many_descriptors_are_refused() {
    let value = Heap::new(900, 2).detailed();
    let refused = value.sections.iter().any(|s| {
        matches!(s, Section::Unreadable { part: "properties", reason } if reason.contains("900"))
    });
    assert!(refused, "{value:?}");
}

#[test]
fn what_is_no_object_is_no_value() {
    let heap = Heap::new(2, 2);
    let cx = Cx {
        memory: &heap.memory,
        layout: &heap.layout,
    };
    for word in [NOWHERE | 1, OBJECT + 8 + 1, OBJECT + 4 + 1, !2] {
        assert!(Value::brief(cx, Tagged(word), Options::default()).is_err());
    }
    let smi = Value::brief(cx, Tagged(42 << 32), Options::default());
    assert_eq!(smi.map(|v| v.brief), Ok(Brief::Smi { value: 42 }));
}
