// Found only when LLDB's own headers are not there.
#error "LLDB's headers were not found. Debian, Ubuntu: apt-get install liblldb-14-dev (any of 14 to 23). Fedora: dnf install lldb-devel. macOS: brew install llvm. Elsewhere: set LLVM_CONFIG to your llvm-config. Without LLDB: cargo build --no-default-features"
