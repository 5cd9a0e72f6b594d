//! Names of what holds something, each found once: by Map, by ScopeInfo, by function.

use crate::metadata::InstanceType;
use crate::object::{
    class_name_of, class_name_of_map, reads, ClassName, Context, Cx, HeapObject, JSFunction,
    JSObject, JSString, Map, PropertyValue, Symbol, Tagged,
};
use rustc_hash::FxHashMap;

/// Number of a name; 0 is none.
pub type Name = u32;
pub const NONE: Name = 0;

/// Longest name read.
const MAX_NAME: usize = 256;
/// Characters of a function that are looked through.
const MAX_SOURCE: usize = 1 << 20;

/// An object, with the address of its Map.
#[derive(Clone, Copy)]
pub struct Held<'a> {
    pub object: HeapObject<'a>,
    pub map: u64,
}

/// Where all objects of a Map have a property.
#[derive(Clone, Copy)]
enum Spot {
    Inside(u64),
    /// In the PropertyArray.
    Outside(u64),
    Nowhere,
    /// Each has to be asked.
    Ask,
}

pub struct Names<'a> {
    cx: Cx<'a>,
    list: Vec<String>,
    by_text: FxHashMap<String, Name>,
    classes: FxHashMap<u64, Option<Name>>,
    properties: FxHashMap<(u64, u64), Name>,
    stored: FxHashMap<(u64, u64), Name>,
    variables: FxHashMap<(u64, u64), Name>,
    uses: FxHashMap<(u64, Name), Option<bool>>,
    spots: FxHashMap<(u64, &'static str), Spot>,
    natives: FxHashMap<u64, bool>,
    plain: FxHashMap<u64, bool>,
    tables: FxHashMap<u64, bool>,
    synthetic: FxHashMap<u64, Option<bool>>,
}

impl<'a> Names<'a> {
    pub fn new(cx: Cx<'a>) -> Names<'a> {
        Names {
            cx,
            list: vec![String::new()],
            by_text: FxHashMap::default(),
            classes: FxHashMap::default(),
            properties: FxHashMap::default(),
            stored: FxHashMap::default(),
            variables: FxHashMap::default(),
            uses: FxHashMap::default(),
            spots: FxHashMap::default(),
            natives: FxHashMap::default(),
            plain: FxHashMap::default(),
            tables: FxHashMap::default(),
            synthetic: FxHashMap::default(),
        }
    }

    pub fn intern(&mut self, text: &str) -> Name {
        if text.is_empty() {
            return NONE;
        }
        if let Some(known) = self.by_text.get(text) {
            return *known;
        }
        let name = self.list.len() as Name;
        self.list.push(text.to_string());
        self.by_text.insert(text.to_string(), name);
        name
    }

    pub fn text(&self, name: Name) -> &str {
        self.list.get(name as usize).map_or("", String::as_str)
    }

    /// A key of an object: a string, or a symbol as it is written.
    pub fn key(&mut self, key: Tagged) -> Name {
        let read = || {
            let object = self.cx.object(key).ok()?;
            if object.is_string().ok()? {
                return Some(JSString(object).read(MAX_NAME).ok()?.text());
            }
            if object.instance_type().ok()? != InstanceType::Symbol {
                return None;
            }
            let description = Symbol(object).description(MAX_NAME).ok()??;
            Some(format!("Symbol({})", description.text()))
        };
        match read() {
            Some(text) => self.intern(&text),
            None => NONE,
        }
    }

    /// The class of an object.
    pub fn class(&mut self, object: Held<'a>) -> Name {
        let known = match self.classes.get(&object.map) {
            Some(known) => *known,
            None => {
                let map = Map(HeapObject::new(self.cx, object.map));
                let name = match class_name_of_map(map) {
                    Ok(ClassName::Name(name) | ClassName::UnlessTagged(name)) => Some(name),
                    _ => None,
                };
                let name = name.map(|n| self.intern(&n));
                self.classes.insert(object.map, name);
                name
            }
        };
        match known {
            Some(name) => name,
            None => match class_name_of(object.object) {
                Ok(name) => self.intern(&name),
                Err(_) => NONE,
            },
        }
    }

    /// The property whose value is at an offset of an object with fast properties.
    pub fn property_at(&mut self, object: Held<'a>, offset: u64) -> Name {
        let key = (object.map, offset);

        if let Some(known) = self.properties.get(&key) {
            return *known;
        }
        let slot = object.object.slot(offset).ok();
        let name = self.named(object.object, slot);
        self.properties.insert(key, name);
        name
    }

    /// The property that is a slot of the object's PropertyArray.
    pub fn property_stored(&mut self, object: Held<'a>, offset: u64) -> Name {
        let key = (object.map, offset);

        if let Some(known) = self.stored.get(&key) {
            return *known;
        }
        let array = JSObject(object.object).properties_or_hash();
        let array = array.and_then(|a| self.cx.object(a)).ok();
        let slot = array.and_then(|a| a.slot(offset).ok());
        let name = self.named(object.object, slot);
        self.stored.insert(key, name);
        name
    }

    fn named(&mut self, object: HeapObject<'a>, slot: Option<u64>) -> Name {
        let properties = JSObject(object).own_properties().unwrap_or_default();
        let found = properties
            .iter()
            .find(|p| p.slot.is_some() && p.slot == slot);
        found.map_or(NONE, |p| self.key(p.key))
    }

    /// What an own property of this name holds.
    pub fn own(&mut self, held: Held<'a>, name: &'static str) -> Option<Tagged> {
        let Held { object, map } = held;
        let cx = self.cx;
        let array = || cx.object(JSObject(object).properties_or_hash().ok()?).ok();
        let spot = match self.spots.get(&(map, name)) {
            Some(known) => *known,
            None => {
                let property = JSObject(object).own_property_named(name).ok()?;
                let shape = Map(HeapObject::new(cx, map));
                let end = object.slot(shape.instance_size().ok()?).ok()?;
                let spot = match property.map(|p| p.slot) {
                    _ if shape.is_dictionary().ok()? => Spot::Ask,
                    None => Spot::Nowhere,
                    Some(None) => Spot::Ask,
                    Some(Some(slot)) if (object.address..end).contains(&slot) => {
                        Spot::Inside(slot - object.address)
                    }
                    Some(Some(slot)) => match array().and_then(|a| slot.checked_sub(a.address)) {
                        Some(offset) => Spot::Outside(offset),
                        None => Spot::Ask,
                    },
                };
                self.spots.insert((map, name), spot);
                spot
            }
        };
        match spot {
            Spot::Inside(offset) => object.tagged_at(offset).ok(),
            Spot::Outside(offset) => array()?.tagged_at(offset).ok(),
            Spot::Nowhere => None,
            Spot::Ask => match JSObject(object)
                .own_property_named(name)
                .ok()??
                .value
                .ok()?
            {
                PropertyValue::Tagged(value) => Some(value),
                _ => None,
            },
        }
    }

    /// The word in a Context that names its ScopeInfo.
    fn scope(&self, context: Context<'a>) -> Option<u64> {
        let layout = &self.cx.layout.context;
        let slot = layout.scope_info_index.offset().ok()?;
        let at = layout
            .slots
            .offset()
            .ok()?
            .checked_add(slot.checked_mul(8)?)?;
        Some(context.0.tagged_at(at).ok()?.0)
    }

    /// The variable in a slot of a Context.
    pub fn variable(&mut self, context: Context<'a>, slot: u64) -> Name {
        let Some(scope) = self.scope(context) else {
            return NONE;
        };
        let key = (scope, slot);
        if let Some(known) = self.variables.get(&key) {
            return *known;
        }
        let locals = context.scope_info().and_then(|s| s.context_locals());
        let locals = locals.unwrap_or_default();
        let found = locals.into_iter().find(|l| l.slot == slot);
        let name = found.and_then(|l| l.name.ok());
        let name = name.map_or(NONE, |n| self.intern(&n));
        self.variables.insert(key, name);
        name
    }

    /// Whether V8 made a Context for functions of its own: it has no variables. What is around it
    /// does not tell: optimized code has it in the Context of the function that runs.
    pub fn is_synthetic(&mut self, context: Context<'a>) -> Option<bool> {
        let scope = self.scope(context)?;
        *self.synthetic.entry(scope).or_insert_with(|| {
            let locals = context.scope_info().and_then(|s| s.context_locals());
            Some(locals.ok()?.is_empty())
        })
    }

    /// Whether a function uses the value of a variable of a scope around it; `None` where its
    /// source does not tell.
    pub fn uses(&mut self, function: JSFunction<'a>, variable: Name) -> Option<bool> {
        let shared = function.shared().ok()?.0.address;
        if let Some(known) = self.uses.get(&(shared, variable)) {
            return *known;
        }
        let name = self.text(variable);
        let source = function.source(MAX_SOURCE).ok().flatten();
        let source = source.filter(|s| !s.is_truncated());
        let answer = source.and_then(|source| reads(&source.units, name));
        self.uses.insert((shared, variable), answer);
        answer
    }

    /// Whether the embedder has fields in the objects of the Map: Node's, for something in C++.
    pub fn is_native(&mut self, held: Held<'a>) -> bool {
        use InstanceType as T;
        *self.natives.entry(held.map).or_insert_with(|| {
            let kinds = [
                T::JSApiObject,
                T::JSSpecialApiObject,
                T::JSObject,
                T::JSObjectWithEmbedderSlots,
            ];
            let fields = JSObject(held.object).embedder_fields();
            held.object
                .instance_type()
                .is_ok_and(|t| kinds.contains(&t))
                && fields.is_ok_and(|f| !f.is_empty())
        })
    }

    /// Whether it is an object without a class: of a literal, or without a prototype.
    pub fn is_plain(&mut self, held: Held<'a>) -> bool {
        use InstanceType as T;
        if let Some(known) = self.plain.get(&held.map) {
            return *known;
        }
        let kind = held.object.instance_type();
        let is_object = matches!(kind, Ok(T::JSObject | T::JSArgumentsObject));
        let class = self.class(held);
        let plain = is_object && (self.text(class) == "Object" || self.has_no_prototype(held));
        self.plain.insert(held.map, plain);
        plain
    }

    /// Whether it may be a table by name, such as an emitter's of its listeners.
    pub fn is_table(&mut self, held: Held<'a>) -> bool {
        if let Some(known) = self.tables.get(&held.map) {
            return *known;
        }
        // Those of streams begin as literals, with names for what is expected.
        let own = |name: &str| JSObject(held.object).own_property_named(name);
        let has = |name: &str| matches!(own(name), Ok(Some(_)));
        let shape = Map(HeapObject::new(self.cx, held.map));
        let table = shape.is_dictionary().unwrap_or(false)
            || self.has_no_prototype(held)
            || has("close") && has("error");
        self.tables.insert(held.map, table);
        table
    }

    fn has_no_prototype(&self, held: Held<'a>) -> bool {
        let shape = Map(HeapObject::new(self.cx, held.map));
        shape
            .prototype()
            .is_ok_and(|p| crate::object::is_null(self.cx, p))
    }
}
