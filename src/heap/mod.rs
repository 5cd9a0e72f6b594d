//! V8's heap: isolates, pages, and every object on them.

mod body;
mod classes;
pub mod forwarding;
mod image;
mod index;
mod isolate;
mod labs;
mod marks;
pub mod pages;
mod parallel;
pub mod place;
pub mod referrers;
pub mod refs;
mod scope;
pub mod search;
mod walk;

pub use body::{body, Body};
pub use classes::{Class, ClassId, Classes};
pub use forwarding::Forwarding;
pub use image::{HeapImage, ImagePage};
pub use index::{HeapIndex, ImageOver, ObjectRef};
pub use isolate::{Collection, Isolate, Isolates, RootName, Roots};
pub use labs::Lab;
pub use pages::{Page, PAGE_ALIGNMENT};
pub use parallel::{for_each, Watch};
pub use scope::Scope;
pub use walk::{Coverage, MapInfo, Starts, Tally, Walker};
