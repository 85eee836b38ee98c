//! Programs in C that the tests bring with them.

/// A static program, of its text.
pub fn compiled(name: &str, text: &str) -> Vec<u8> {
    let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (source, program) = (folder.join("source.c"), folder.join("program"));
    std::fs::write(&source, text).unwrap();
    let compiler = std::process::Command::new("cc").args(["-static", "-O1", "-o"]).arg(&program).arg(source).status();
    assert!(compiler.expect("a C compiler, `cc`").success());
    let bytes = std::fs::read(&program).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    bytes
}
