//! `v8 settings`.

use super::app::{App, Host};
use super::Outcome;
use crate::render::Style;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Color {
    Always,
    Never,
    #[default]
    Auto,
}

/// Choices of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub color: Color,
    /// Spaces per level of recursive output, 1 to 10.
    pub tree_padding: usize,
    /// llnode's exact forms where ours are richer.
    pub compat_llnode: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            color: Color::default(),
            tree_padding: 2,
            compat_llnode: std::env::var("V8RS_COMPAT").is_ok_and(|v| v == "llnode"),
        }
    }
}

impl Settings {
    fn compat(&self) -> &'static str {
        match self.compat_llnode {
            true => "llnode",
            false => "off",
        }
    }
}

impl Color {
    fn name(self) -> &'static str {
        match self {
            Color::Always => "always",
            Color::Never => "never",
            Color::Auto => "auto",
        }
    }
}

impl App {
    /// How values are written now.
    pub fn style(&self, host: &dyn Host) -> Style {
        Style {
            color: match self.settings.color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => host.is_terminal(),
            },
            compat: self.settings.compat_llnode,
            print_map: false,
        }
    }
}

/// Runs `v8 settings set NAME VALUE`.
pub fn set(app: &mut App, _: &dyn Host, arguments: &[String]) -> Outcome {
    let as_json = arguments.iter().any(|w| w == "--json");
    let words = arguments.iter().map(String::as_str);
    let mut words = words.filter(|w| *w != "--json");
    let (name, value, more) = (words.next(), words.next(), words.next());
    let outcome = match (name, value) {
        (Some("--help" | "-h"), _) => return super::help::of("settings set"),
        (Some(name), Some(_)) if more.is_some() && !app.settings.compat_llnode => Outcome::failed(
            format!("{name} takes one value; USAGE: v8 settings set {name} value"),
        ),
        (Some("color"), value) => color(app, value),
        (Some("tree-padding"), value) => tree_padding(app, value),
        (Some("compat"), value) => compat(app, value),
        (Some(other), _) => Outcome::failed(format!(
            "there is no setting '{other}'; the settings are color, tree-padding and compat"
        )),
        (None, _) => {
            Outcome::failed("USAGE: v8 settings set (color | tree-padding | compat) value")
        }
    };
    match outcome.error {
        None if as_json => json(app),
        _ => outcome,
    }
}

/// All settings.
fn json(app: &App) -> Outcome {
    super::json(&serde_json::json!({
        "color": app.settings.color.name(),
        "tree-padding": app.settings.tree_padding,
        "compat": app.settings.compat(),
    }))
}

fn color(app: &mut App, value: Option<&str>) -> Outcome {
    app.settings.color = match value {
        Some("always") => Color::Always,
        Some("never") => Color::Never,
        Some("auto") => Color::Auto,
        // llnode says so on standard output, and does not fail.
        _ if app.settings.compat_llnode => {
            return Outcome::ok("Error: Available options are (always | never | auto)\n")
        }
        Some(other) => {
            return Outcome::failed(format!(
                "'{other}' is no choice of colour; the choices are always, never and auto"
            ))
        }
        None => return Outcome::failed("USAGE: v8 settings set color (always | never | auto)"),
    };
    Outcome::ok(format!("Color set to '{}'\n", app.settings.color.name()))
}

fn tree_padding(app: &mut App, value: Option<&str>) -> Outcome {
    let Some(value) = value else {
        return Outcome::failed("USAGE: v8 settings set tree-padding [1..10]");
    };
    let digits = value.trim_start_matches('+');
    // llnode reads an int as C++ streams do: what follows the number does not matter.
    let end = match app.settings.compat_llnode {
        true => digits
            .char_indices()
            .find(|(at, c)| !(c.is_ascii_digit() || (*at == 0 && *c == '-')))
            .map_or(digits.len(), |(at, _)| at),
        false => digits.len(),
    };
    let Ok(padding) = digits[..end].parse::<i32>() else {
        return Outcome::failed(match app.settings.compat_llnode {
            true => "unable to convert provided value.".to_owned(),
            false => format!("'{value}' is no number; tree-padding takes one from 1 to 10"),
        });
    };
    app.settings.tree_padding = padding.clamp(1, 10) as usize;
    Outcome::ok(format!(
        "Tree padding set to {}\n",
        app.settings.tree_padding
    ))
}

fn compat(app: &mut App, value: Option<&str>) -> Outcome {
    app.settings.compat_llnode = match value {
        Some("llnode") => true,
        Some("off") => false,
        _ => return Outcome::failed("USAGE: v8 settings set compat (llnode | off)"),
    };
    Outcome::ok(format!("Compat set to '{}'\n", app.settings.compat()))
}

/// Runs `v8 settings show`.
pub fn show(app: &mut App, _: &dyn Host, arguments: &[String]) -> Outcome {
    match arguments.first().map(String::as_str) {
        Some("--help" | "-h") => return super::help::of("settings show"),
        Some("--json") => return json(app),
        Some(other) if !app.settings.compat_llnode => {
            return Outcome::failed(format!(
                "'{other}' is no option of this command; see 'v8 settings show --help'"
            ))
        }
        _ => {}
    }
    let settings = &app.settings;
    Outcome::ok(format!(
        "color = {}\ntree-padding = {}\ncompat = {}\n",
        settings.color.name(),
        settings.tree_padding,
        settings.compat(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Result};
    use crate::target::Target;

    struct NoHost;
    impl Host for NoHost {
        fn target(&self) -> Result<Box<dyn Target>> {
            Err(Error::NoProcess)
        }
        fn stop_key(&self) -> (u64, u64) {
            (0, 0)
        }
        fn is_terminal(&self) -> bool {
            false
        }
        fn debugger_command(&self, _: &str) -> Result<String> {
            Err(Error::NoProcess)
        }
        fn progress(&self, _: &str, _: f64) {}
    }

    #[test]
    fn as_llnode_answers() {
        let mut app = App::new();
        let mut run = |line: &str| {
            let words: Vec<String> = line.split_whitespace().map(str::to_string).collect();
            let outcome = set(&mut app, &NoHost, &words);
            outcome.error.unwrap_or(outcome.text)
        };
        run("compat llnode");
        assert_eq!(run("color never"), "Color set to 'never'\n");
        assert_eq!(
            run("color x"),
            "Error: Available options are (always | never | auto)\n"
        );
        assert_eq!(run("tree-padding 99"), "Tree padding set to 10\n");
        assert_eq!(run("tree-padding -3"), "Tree padding set to 1\n");
        assert_eq!(run("tree-padding 4x"), "Tree padding set to 4\n");
        assert_eq!(run("tree-padding x"), "unable to convert provided value.");
        assert_eq!(
            run("tree-padding"),
            "USAGE: v8 settings set tree-padding [1..10]"
        );
        assert_eq!(run("compat off"), "Compat set to 'off'\n");
    }

    #[test]
    fn what_is_no_setting_changes_nothing() {
        let mut app = App::new();
        app.settings = Settings {
            compat_llnode: false,
            ..Settings::default()
        };
        let before = app.settings.clone();
        for line in [
            "",
            "colour never",
            "color",
            "color blue",
            "color never never",
            "tree-padding",
            "tree-padding x",
            "tree-padding 4x",
            "compat",
            "compat on",
        ] {
            let words: Vec<String> = line.split_whitespace().map(str::to_string).collect();
            let outcome = set(&mut app, &NoHost, &words);
            assert!(outcome.error.is_some(), "{line}: {}", outcome.text);
            assert_eq!(outcome.text, "", "{line}");
            assert_eq!(app.settings, before, "{line}");
        }
    }
}
