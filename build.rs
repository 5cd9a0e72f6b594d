//! Compiles the bridge to LLDB, and keeps liblldb out of the library's dependencies.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "lldb")]
    lldb::build();
}

#[cfg(feature = "lldb")]
mod lldb {
    use std::path::{Path, PathBuf};
    use std::process::Command;

    const INSTALL: &str = "LLDB's headers were not found.
  Debian, Ubuntu:  apt-get install liblldb-14-dev   (any of 14 to 23)
  Fedora:          dnf install lldb-devel
  macOS:           brew install llvm
  elsewhere:       set LLVM_CONFIG to your llvm-config
  without LLDB:    cargo build --no-default-features";

    pub fn build() {
        for file in ["cpp", "src/lldb/bridge.rs", "scripts/llvm-config"] {
            println!("cargo:rerun-if-changed={file}");
        }
        println!("cargo:rerun-if-env-changed=LLVM_CONFIG");
        let include = ask_llvm("--includedir");
        if !include.join("lldb/API/SBDebugger.h").is_file() {
            eprintln!("{INSTALL}\n  (looked in {})", include.display());
            std::process::exit(1);
        }
        cxx_build::bridge("src/lldb/bridge.rs")
            .file("cpp/bridge.cpp")
            .include(include)
            .std("c++17")
            .warnings(false)
            .compile("v8rs-bridge");
        if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("macos") {
            println!("cargo:rustc-link-arg=-Wl,-undefined,dynamic_lookup");
            println!("cargo:rustc-link-arg=-Wl,-dead_strip_dylibs");
        } else {
            hide_liblldb(&ask_llvm("--libdir"));
        }
    }

    /// The answer of `$LLVM_CONFIG`, else of our own finder.
    fn ask_llvm(option: &str) -> PathBuf {
        let config = std::env::var("LLVM_CONFIG").unwrap_or_else(|_| "scripts/llvm-config".into());
        match Command::new(&config).arg(option).output() {
            Ok(out) if out.status.success() => {
                PathBuf::from(String::from_utf8_lossy(&out.stdout).trim())
            }
            Ok(out) => {
                eprint!("{}", String::from_utf8_lossy(&out.stderr));
                eprintln!("{INSTALL}\n  ({config} {option} failed)");
                std::process::exit(1);
            }
            Err(error) => {
                eprintln!("{INSTALL}\n  ({config}: {error})");
                std::process::exit(1);
            }
        }
    }

    /// lldb-sys links to liblldb by whichever of its names it finds first. Bound to it, the
    /// library would load that one liblldb beside the host's own, and ask for its symbol version
    /// (Debian's have `LLVM_14` and so on). So each of those names is an empty linker script in a
    /// directory that is searched first: the symbols stay undefined and the host supplies them.
    fn hide_liblldb(libdir: &Path) {
        let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("no-liblldb");
        let mut names = vec!["liblldb.so".to_owned()];
        for entry in std::fs::read_dir(libdir).into_iter().flatten().flatten() {
            if let Ok(name) = entry.file_name().into_string() {
                if let Some((stem, _)) = name.split_once(".so") {
                    names.push(format!("{stem}.so"));
                }
            }
        }
        names.retain(|n| n == "liblldb.so" || n.starts_with("liblldb-"));
        let write = |name: &String| std::fs::write(out.join(name), "/* nothing: see build.rs */\n");
        if let Err(error) =
            std::fs::create_dir_all(&out).and_then(|()| names.iter().try_for_each(write))
        {
            eprintln!("{}: {error}", out.display());
            std::process::exit(1);
        }
        println!("cargo:rustc-link-search=native={}", out.display());
    }
}
