// What lldb-sys does not offer: commands of our own, and their output. No logic here.
#pragma once

#include "rust/cxx.h"
#include <cstddef>
#include <cstdint>
#include <lldb/API/LLDB.h>

namespace v8rs {

/// An SBCommand that is never copied nor destroyed: its members are inline and hold a shared_ptr
/// of the C++ library that we were built with, not of the one that the host was.
struct Group;

Group *add_group(lldb::SBDebugger &debugger, rust::Str name, rust::Str help) noexcept;
Group *add_subgroup(Group *group, rust::Str name, rust::Str help) noexcept;

/// `id` is what run_command gets. `repeats`: an empty line runs the same command again.
bool add_command(Group *group, rust::Str name, rust::Str help, rust::Str syntax, bool repeats,
                 std::size_t id) noexcept;
bool add_top_level_command(lldb::SBDebugger &debugger, rust::Str name, rust::Str help,
                           rust::Str syntax, bool repeats, std::size_t id) noexcept;

void print(lldb::SBDebugger &debugger, rust::Str text) noexcept;
std::int32_t output_descriptor(lldb::SBDebugger *debugger) noexcept;

void write_output(lldb::SBCommandReturnObject &result, rust::Str text) noexcept;
/// Fails the command; an empty text leaves the error stream alone.
void set_error(lldb::SBCommandReturnObject &result, rust::Str text) noexcept;
void set_success(lldb::SBCommandReturnObject &result, bool has_output) noexcept;

} // namespace v8rs
