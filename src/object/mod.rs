//! Tagged words to typed views. A view is `Copy`: where to read ([`Cx`]) and an address. Views
//! check what they read, never panic, and never follow more than a bounded number of links.

mod buffer;
mod collection;
mod context;
mod cx;
mod declaration;
mod descriptors;
mod details;
mod dictionary;
mod dom_exception;
mod elements;
mod error_text;
mod fixed_array;
mod function;
mod heap_object;
mod js_object;
mod map;
mod module;
mod names;
mod number;
mod oddball;
mod promise;
mod scope_info;
mod script;
mod shared;
mod special;
mod string;
pub mod summary;
mod symbol;

pub use buffer::{
    typed_array_kind, JSArrayBuffer, JSArrayBufferView, TypedArrayKind, TypedElement,
};
pub use collection::{
    iterator_entries, weak_ref_target, CollectionKind, JSCollection, OrderedHashTable,
};
pub use context::{Context, ContextValue, ContextVariable};
pub use cx::{Cx, Tagged};
pub use declaration::{declaration, mentions, reads};
pub use descriptors::{Descriptor, DescriptorArray};
pub use details::{Attributes, PropertyDetails};
pub use dictionary::{DictionaryEntry, HashTable};
pub use dom_exception::{dom_exception, DomException, CLASS as DOM_EXCEPTION};
pub use elements::{Element, Elements};
pub use error_text::{data_property, error_text, is_like_error};
pub use fixed_array::FixedArray;
pub use function::{JSBoundFunction, JSFunction};
pub use heap_object::HeapObject;
pub use js_object::{is_name, own_constant, JSObject, Property, PropertyValue};
pub use map::Map;
pub use module::SourceTextModule;
pub use names::{
    class_name_of, class_name_of_map, constructor_name, constructor_name_of_map, is_to_string_tag,
    ClassName, MapName,
};
pub use number::{heap_number, number_text, BigInt};
pub use oddball::{is_null, is_the_hole, is_undefined, OddballKind};
pub use promise::{GeneratorState, JSGeneratorObject, JSPromise, PromiseState};
pub use scope_info::{ContextLocal, FunctionVariable, ModuleVariable, ScopeInfo};
pub use script::Script;
pub use shared::{FunctionKind, Location, SharedFunctionInfo};
pub use special::{
    date_is_smi, date_value, iso_text, namespace_exports, proxy_parts, regexp_flags, regexp_source,
    wrapped_primitive,
};
pub use string::{unit_text, JSString, StringShape, StringText};
pub use symbol::{Symbol, SymbolKind};
