//! The LLDB edge: the plugin's entry, its commands, and a process in LLDB as a
//! [`Target`](crate::target::Target). The only place that names an SB type or cxx.

mod bridge;
mod core;
mod host;
mod memory;
mod plugin;
mod sb;
mod selftest;
mod target;
