//! Runs v8 commands on a core without a debugger:
//! `offline NODE CORE 'bt' 'inspect 0x…'`, the words of a command parted by spaces.

use v8rs::command::{App, TABLE};
use v8rs::offline::OfflineHost;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(program), Some(core)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: offline NODE CORE COMMAND…");
        std::process::exit(2);
    };
    let host = OfflineHost {
        core: core.into(),
        program: program.into(),
    };
    let mut app = App::new();
    let mut failed = false;
    for line in arguments {
        let start = std::time::Instant::now();
        let name = TABLE
            .iter()
            .filter(|c| line == c.name || line.starts_with(&format!("{} ", c.name)))
            .max_by_key(|c| c.name.len())
            .map_or(line.as_str(), |c| c.name);
        let rest: Vec<String> = line[name.len()..]
            .split_whitespace()
            .map(str::to_string)
            .collect();
        let outcome = app.run(&host, name, &rest);
        print!("{}", outcome.text);
        if let Some(error) = outcome.error {
            eprintln!("error: {error}");
            failed = true;
        }
        eprintln!("({line}: {:.3} s)", start.elapsed().as_secs_f64());
    }
    std::process::exit(i32::from(failed));
}
