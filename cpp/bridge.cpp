#include "v8rs/cpp/bridge.h"
#include "v8rs/src/lldb/bridge.rs.h"

#include <algorithm>
#include <cstdio>
#include <new>
#include <string>

namespace v8rs {

namespace {

class Command final : public lldb::SBCommandPluginInterface {
public:
  explicit Command(std::size_t id) : id(id) {}

  bool DoExecute(lldb::SBDebugger debugger, char **arguments,
                 lldb::SBCommandReturnObject &result) override {
    try {
      rust::Vec<rust::String> words;
      for (char **word = arguments; word && *word; ++word)
        words.push_back(rust::String::lossy(*word));
      run_command(debugger, id, std::move(words), result);
    } catch (...) {
      result.SetError("internal error in v8rs: a C++ exception reached the command");
    }
    return result.Succeeded();
  }

private:
  const std::size_t id;
};

std::string owned(rust::Str text) { return std::string(text.data(), text.size()); }

// Runs `make`, which returns an SBCommand, into memory that is given to nobody.
template <typename Make> Group *keep(Make make) noexcept {
  try {
    void *memory = ::operator new(sizeof(lldb::SBCommand));
    // Made in place: C++17 leaves no temporary to destroy.
    auto *command = new (memory) lldb::SBCommand(make());
    return command->IsValid() ? reinterpret_cast<Group *>(command) : nullptr;
  } catch (...) {
    return nullptr;
  }
}

lldb::SBCommand &command(Group *group) { return *reinterpret_cast<lldb::SBCommand *>(group); }

} // namespace

Group *add_group(lldb::SBDebugger &debugger, rust::Str name, rust::Str help) noexcept {
  return keep([&] {
    return debugger.GetCommandInterpreter().AddMultiwordCommand(owned(name).c_str(),
                                                                owned(help).c_str());
  });
}

Group *add_subgroup(Group *group, rust::Str name, rust::Str help) noexcept {
  return keep([&] {
    return command(group).AddMultiwordCommand(owned(name).c_str(), owned(help).c_str());
  });
}

bool add_command(Group *group, rust::Str name, rust::Str help, rust::Str syntax, bool repeats,
                 std::size_t id) noexcept {
  return keep([&] {
           return command(group).AddCommand(owned(name).c_str(), new Command(id),
                                            owned(help).c_str(), owned(syntax).c_str(),
                                            repeats ? nullptr : "");
         }) != nullptr;
}

bool add_top_level_command(lldb::SBDebugger &debugger, rust::Str name, rust::Str help,
                           rust::Str syntax, bool repeats, std::size_t id) noexcept {
  return keep([&] {
           return debugger.GetCommandInterpreter().AddCommand(
               owned(name).c_str(), new Command(id), owned(help).c_str(), owned(syntax).c_str(),
               repeats ? nullptr : "");
         }) != nullptr;
}

void print(lldb::SBDebugger &debugger, rust::Str text) noexcept {
  lldb::SBFile file = debugger.GetOutputFile();
  std::size_t written = 0;
  file.Write(reinterpret_cast<const std::uint8_t *>(text.data()), text.size(), &written);
  file.Flush();
}

std::int32_t output_descriptor(lldb::SBDebugger *debugger) noexcept {
  std::FILE *file = debugger->GetOutputFileHandle();
  return file ? fileno(file) : -1;
}

void write_output(lldb::SBCommandReturnObject &result, rust::Str text) noexcept {
  // Printf adds nothing, where AppendMessage and PutCString trim and end lines. It formats into
  // a buffer of its own, hence the pieces.
  constexpr std::size_t piece = std::size_t(1) << 20;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    int length = static_cast<int>(std::min(piece, text.size() - at));
    result.Printf("%.*s", length, text.data() + at);
  }
}

void set_error(lldb::SBCommandReturnObject &result, rust::Str text) noexcept {
  try {
    if (!text.empty())
      result.SetError(owned(text).c_str());
    result.SetStatus(lldb::eReturnStatusFailed);
  } catch (...) {
    result.SetStatus(lldb::eReturnStatusFailed);
  }
}

void set_success(lldb::SBCommandReturnObject &result, bool has_output) noexcept {
  result.SetStatus(has_output ? lldb::eReturnStatusSuccessFinishResult
                              : lldb::eReturnStatusSuccessFinishNoResult);
}

} // namespace v8rs
