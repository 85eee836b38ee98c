//! The last step: the working directory, and execve.

use std::ffi::CStr;

use rustix::io::Errno;

use super::Program;
use crate::runtime::handshake::{Failure, Step};
use crate::sys::process;

/// Enters the working directory, and makes sure that it lies inside.
pub fn enter_directory(path: &str) -> Result<(), Failure> {
    let failure =
        |errno: Errno| Failure { step: Step::WorkingDirectory, errno: errno.raw_os_error(), call: path.to_owned() };
    rustix::process::chdir(path).map_err(failure)?;
    let real = rustix::process::getcwd(Vec::new()).map_err(failure)?;
    // The kernel writes `(unreachable)` before a directory that is outside of the root.
    if real.as_bytes().starts_with(b"/") { Ok(()) } else { Err(failure(Errno::NOENT)) }
}

/// Tries each candidate as execvp(3) does: one that is missing is passed over, one that is refused is remembered.
pub fn become_program(program: &Program) -> Failure {
    let mut refused = None;
    for candidate in &program.candidates {
        let errno = process::exec_path(candidate, &program.args, &program.env);
        match errno {
            libc::ENOENT | libc::ENOTDIR | libc::ENAMETOOLONG | libc::ELOOP if !exists(candidate) => {}
            libc::EACCES => refused = refused.or(Some(errno)),
            // It is there: the error speaks of its interpreter.
            libc::ENOENT => {
                let call = candidate.to_string_lossy().into_owned();
                return Failure { step: Step::Interpreter, errno, call };
            }
            _ => return failure(program, errno),
        }
    }
    failure(program, refused.unwrap_or(libc::ENOENT))
}

/// As [`become_program`], up to the execve itself, which may still refuse what it reads in the file.
pub fn look(program: &Program) -> Result<(), Failure> {
    let mut refused = None;
    for candidate in &program.candidates {
        match rustix::fs::access(candidate.as_c_str(), rustix::fs::Access::EXEC_OK) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::LOOP) => {}
            Err(Errno::ACCESS) => refused = Some(libc::EACCES),
            _ => return Ok(()),
        }
    }
    Err(failure(program, refused.unwrap_or(libc::ENOENT)))
}

fn exists(path: &CStr) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXISTS).is_ok()
}

fn failure(program: &Program, errno: i32) -> Failure {
    let name = program.args.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Failure { step: Step::Exec, errno, call: name }
}
