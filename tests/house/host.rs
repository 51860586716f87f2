//! What child processes of tests and benches know of their host. A file of its own, because a bench that is a gate binary
//! itself takes it in without the gates of this crate.

/// What a child needs of its host: where tools, toolchains and temporary files are.
pub(crate) const HOST: [&str; 14] = [
    "PATH",
    "HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SystemRoot",
    "SystemDrive",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "ProgramFiles",
];
