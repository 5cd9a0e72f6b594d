//! Source maps: from a place in what ran to the place in what it was made of.

use crate::error::{Error, Result};
use std::path::{Component, Path, PathBuf};

/// Longest source map read, in bytes.
const MAX_MAP: u64 = 256 << 20;
/// What to do where there is none.
const WITHOUT: &str = "without --source-map you see what ran";

/// A source map, with where it was found.
pub struct SourceMap {
    map: oxc_sourcemap::SourceMap<'static>,
    /// What its sources are relative to.
    directory: PathBuf,
}

/// A place in an original source; line and column from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginalPlace {
    pub file: String,
    pub line: u64,
    pub column: u64,
    source: u32,
}

impl SourceMap {
    /// The map that `url` (of a `sourceMappingURL` comment) names in a script of this path.
    pub fn load(script: &str, url: &str) -> Result<SourceMap> {
        let script = file_path(script);
        let around = script.parent().unwrap_or(Path::new("/"));
        if let Some(data) = url.strip_prefix("data:") {
            return SourceMap::parse(&data_of(data)?, around);
        }
        let path = normal(&around.join(file_path(&percent_decoded(url))));
        SourceMap::read(&path)
    }

    /// The error for what has no map.
    pub fn none() -> Error {
        Error::other(format!("the script names no source map; {WITHOUT}"))
    }

    /// The map beside a script that names none.
    pub fn beside(script: &str) -> Result<SourceMap> {
        let script = file_path(script);
        let mut path = script.into_os_string();
        path.push(".map");
        let path = PathBuf::from(path);
        // Node's own scripts have names, not paths.
        if !path.is_absolute() {
            return Err(SourceMap::none());
        }
        if !path.is_file() {
            return Err(Error::other(format!(
                "the script names no source map, and there is no file {}; {WITHOUT}",
                path.display()
            )));
        }
        SourceMap::read(&path)
    }

    fn read(path: &Path) -> Result<SourceMap> {
        let broken = |why: String| {
            Error::other(format!(
                "cannot use the source map {}: {why}",
                path.display()
            ))
        };
        let size = std::fs::metadata(path).map_err(|e| broken(e.to_string()))?;
        if size.len() > MAX_MAP {
            return Err(broken("the file is too large".to_string()));
        }
        let text = std::fs::read_to_string(path).map_err(|e| broken(e.to_string()))?;
        SourceMap::parse(&text, path.parent().unwrap_or(Path::new("/")))
            .map_err(|e| broken(e.to_string()))
    }

    /// A map's text; its sources are relative to `directory`.
    pub fn parse(text: &str, directory: &Path) -> Result<SourceMap> {
        // V8's and browsers' maps may begin so, lest they run as a script.
        let text = match text.strip_prefix(")]}") {
            Some(rest) => rest.split_once('\n').map_or("", |(_, rest)| rest),
            None => text,
        };
        let broken = |e: &dyn std::fmt::Display| Error::other(format!("the source map: {e}"));
        let json: oxc_sourcemap::JSONSourceMap =
            serde_json::from_str(text).map_err(|e| broken(&e))?;
        let map = oxc_sourcemap::SourceMap::from_json(json).map_err(|e| broken(&e))?;
        Ok(SourceMap {
            map,
            directory: directory.to_path_buf(),
        })
    }

    /// Where a place (line and column from 1) comes from: as Node's --enable-source-maps finds
    /// it, what the last mapping at or before it says.
    pub fn original(&self, line: u64, column: u64) -> Option<OriginalPlace> {
        let wanted = (line.checked_sub(1)?, column.checked_sub(1)?);
        let token = self
            .map
            .get_tokens()
            .filter(|t| (u64::from(t.get_dst_line()), u64::from(t.get_dst_col())) <= wanted)
            .max_by_key(|t| (t.get_dst_line(), t.get_dst_col()))?;
        let source = token.get_source_id()?;
        Some(OriginalPlace {
            file: self.path(source)?.display().to_string(),
            line: u64::from(token.get_src_line()) + 1,
            column: u64::from(token.get_src_col()) + 1,
            source,
        })
    }

    fn path(&self, source: u32) -> Option<PathBuf> {
        let source = self.map.get_source(source)?;
        let root = self.map.get_source_root().unwrap_or("");
        let full = match (root, file_path(source).is_absolute()) {
            ("", _) | (_, true) => source.to_string(),
            _ => format!("{}/{source}", root.trim_end_matches('/')),
        };
        Some(normal(&self.directory.join(file_path(&full))))
    }

    /// The lines of the source that a place is in: what the map holds, else the file.
    pub fn lines(&self, place: &OriginalPlace) -> Result<Vec<String>> {
        if let Some(text) = self.map.get_source_content(place.source) {
            return Ok(text.lines().map(str::to_string).collect());
        }
        let broken = |e: std::io::Error| Error::other(format!("{}: {e}", place.file));
        let text = std::fs::read(&place.file).map_err(broken)?;
        let text = String::from_utf8_lossy(&text);
        Ok(text.lines().map(str::to_string).collect())
    }
}

/// The path of a `file:` URL, or the path itself.
fn file_path(url: &str) -> PathBuf {
    match url.strip_prefix("file://") {
        Some(path) => PathBuf::from(percent_decoded(path)),
        None => PathBuf::from(url),
    }
}

/// Without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).filter(|_| byte == b'%');
        let hex = hex.and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// What a `data:` URL holds.
fn data_of(data: &str) -> Result<String> {
    let broken = || Error::other("the source map's data: URL is broken");
    let (kind, content) = data.split_once(',').ok_or_else(broken)?;
    if !kind.ends_with(";base64") {
        return Ok(percent_decoded(content));
    }
    let bytes = base64_simd::STANDARD
        .decode_to_vec(content.trim())
        .or_else(|_| base64_simd::STANDARD_NO_PAD.decode_to_vec(content.trim()))
        .map_err(|_| broken())?;
    String::from_utf8(bytes).map_err(|_| broken())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = r#"{"version":3,"sources":["../src/a.ts"],"names":[],
        "mappings":"AAEA;EACA,MAAM","sourcesContent":["one\ntwo\nthree\nfour\n"]}"#;

    fn place(map: &SourceMap, line: u64, column: u64) -> Option<(String, u64, u64)> {
        let found = map.original(line, column)?;
        Some((found.file, found.line, found.column))
    }

    #[test]
    fn the_mapping_before_counts() {
        let map = SourceMap::parse(MAP, Path::new("/app/dist")).unwrap();
        let file = || "/app/src/a.ts".to_string();
        assert_eq!(place(&map, 1, 1), Some((file(), 3, 1)));
        assert_eq!(place(&map, 1, 50), Some((file(), 3, 1)));
        assert_eq!(place(&map, 2, 3), Some((file(), 4, 1)));
        assert_eq!(place(&map, 2, 9), Some((file(), 4, 7)));
        assert_eq!(place(&map, 9, 1), Some((file(), 4, 7)));
        assert_eq!(place(&map, 0, 1), None);
        let lines = map.lines(&map.original(1, 1).unwrap()).unwrap();
        assert_eq!(lines[2], "three");
    }

    #[test]
    fn maps_in_urls() {
        let map =
            "eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbImIudHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBQUEifQ==";
        let url = format!("data:application/json;charset=utf-8;base64,{map}");
        let map = SourceMap::load("file:///app/b%20c/b.js", &url).unwrap();
        assert_eq!(map.original(1, 1).unwrap().file, "/app/b c/b.ts");
        assert!(SourceMap::load("/app/b.js", "data:,x").is_err());
        assert!(SourceMap::load("/app/b.js", "data:application/json;base64,*").is_err());
        assert!(SourceMap::load("/app/b.js", "no-such-file.map").is_err());
    }

    #[test]
    fn broken_maps_are_refused() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"version":3,"sources":[],"names":[],"mappings":"AAAA"}"#,
            r#"{"version":3,"sources":["a"],"names":[],"mappings":"!!"}"#,
            r#"{"version":3,"sources":["a"],"names":[],"mappings":"gggggggggggggggggggB"}"#,
        ] {
            if let Ok(map) = SourceMap::parse(text, Path::new("/")) {
                let _ = map.original(1, 1).map(|p| map.lines(&p).is_err());
            }
        }
    }
}
