//! What is known of the target's V8: its version, and every offset, constant and instance type,
//! each with where it came from. A v8dbg symbol wins, the version's table fills in.

mod constants;
mod instance_type;
mod layout;
pub mod scope_info;
mod scope_rules;
mod sizes;
mod snapshot_fields;
pub mod tables;
pub mod translation;
mod v8dbg;
mod version;

pub use constants::*;
pub use instance_type::{InstanceType, InstanceTypes};
pub use layout::{Constant, Layout, Resolved, Source, Spec};
pub use scope_rules::ScopeRules;
pub use sizes::{Count, SizeRule, SizeRules, SizeSource};
pub use snapshot_fields::{snapshot_fields, FieldAt, FieldUse, SnapshotField, Tag, TagKind};
pub use v8dbg::V8dbg;
pub use version::V8Version;
