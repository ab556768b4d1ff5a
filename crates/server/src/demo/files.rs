//! Files that the demo writes: whole or not at all, and readable by the owner only.

use std::io::Write as _;
use std::path::Path;

use crate::failure::{Done, file};

/// Makes a directory that only the owner can look into.
pub(super) fn directory(path: &Path) -> Done {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| file(path, "created", &error))
}

/// Writes a file beside its place and moves it there, so that a reader sees all of it or the old one.
pub(super) fn write(path: &Path, content: &[u8]) -> Done {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let beside = std::path::PathBuf::from(name);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut open| {
        open.write_all(content)?;
        open.sync_all()
    });
    written.and_then(|()| std::fs::rename(&beside, path)).map_err(|error| file(path, "written", &error))
}

/// Reads a text file; `None` when there is none.
pub(super) fn read(path: &Path) -> Done<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file(path, "read", &error)),
    }
}
