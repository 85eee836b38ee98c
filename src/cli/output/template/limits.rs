//! What a template may take: a loop that doubles a string would fill the memory before it ends.
//!
//! Everything that is handed to a function that makes text counts, so what comes back is bounded, too. The functions of this program
//! count by themselves; calls of the crate's are rewritten: `print .ID` to `print (CHARGE .ID)`.

use std::fmt::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gotmpl::parse::{CommandNode, Expr, PipeNode};
use gotmpl::{TemplateError, Value};

/// How much text one execution may hand to functions, and print, in bytes.
const MOST: usize = 16 << 20;

/// The function that counts and gives back what it gets. Its name can't be written in a template.
pub const CHARGE: &str = "charge for";

/// The crate's functions that make text of what they get.
const MAKE_TEXT: [&str; 6] = ["html", "js", "print", "printf", "println", "urlquery"];

/// How much an execution has handed to functions.
#[derive(Debug, Clone, Default)]
pub struct Taken(Arc<AtomicUsize>);

impl Taken {
    /// For the next execution.
    pub fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    pub fn charge(&self, values: &[Value]) -> Result<(), TemplateError> {
        let more: usize = values.iter().map(size).sum();
        match self.0.fetch_add(more, Ordering::Relaxed).checked_add(more) {
            Some(taken) if taken <= MOST => Ok(()),
            _ => Err(too_much()),
        }
    }
}

fn too_much() -> TemplateError {
    TemplateError::Exec(format!("it makes more than {MOST} bytes of text"))
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::List(values) => values.iter().map(size).sum(),
        Value::Map(map) => map.iter().map(|(key, value)| key.len() + size(value)).sum(),
        _ => 0,
    }
}

/// Lets what the commands of a pipe hand to the crate's functions be counted.
pub fn count(pipe: &mut PipeNode) {
    let mut commands = Vec::with_capacity(pipe.commands.len());
    for mut command in std::mem::take(&mut pipe.commands) {
        if makes_text(&command) {
            if !commands.is_empty() {
                commands.push(call(&command, None));
            }
            let head = command.clone();
            for argument in command.args.iter_mut().skip(1).filter(|argument| !is_literal(argument)) {
                let call = call(&head, Some(argument.clone()));
                let pipe = PipeNode { pos: head.pos, decl: Vec::new(), commands: vec![call], is_assign: false };
                *argument = Expr::Pipe(head.pos, pipe);
            }
        }
        commands.push(command);
    }
    pipe.commands = commands;
}

fn makes_text(command: &CommandNode) -> bool {
    matches!(command.args.first(), Some(Expr::Identifier(_, name)) if MAKE_TEXT.contains(&name.as_str()))
}

/// As long as it stands in the template, whose length is limited.
fn is_literal(expression: &Expr) -> bool {
    matches!(expression, Expr::String(..) | Expr::Number(..))
}

/// `CHARGE argument`; without one, of what the pipe brings.
fn call(at: &CommandNode, argument: Option<Expr>) -> CommandNode {
    let args = [Expr::Identifier(at.pos, CHARGE.into())].into_iter().chain(argument).collect();
    CommandNode { pos: at.pos, args }
}

/// What a template prints.
#[derive(Debug, Default)]
pub struct Output {
    pub text: String,
    /// There was more than it may print.
    full: bool,
}

impl Output {
    /// The text, if the execution that wrote it ended well.
    pub fn of(self, executed: Result<(), TemplateError>) -> Result<String, TemplateError> {
        if self.full { Err(too_much()) } else { executed.map(|()| self.text) }
    }
}

impl Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.full = self.text.len().saturating_add(text.len()) > MOST;
        if self.full { Err(fmt::Error) } else { self.text.write_str(text) }
    }
}
